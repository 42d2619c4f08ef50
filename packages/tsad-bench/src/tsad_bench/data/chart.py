"""The health of series as a table with its summary, or as CSV."""

import csv
import io
import textwrap
from collections import Counter
from collections.abc import Sequence

from tsad_core.health import FLAGS, Health, twin_groups

from tsad_bench.data.health import Finding


def chart(findings: Sequence[Finding], *, controls: Sequence[str], width: int) -> str:
    """Return for each data set a table of its series, twins and doubles by name, and how many have each flag."""
    parts = [
        part
        for dataset in dict.fromkeys(f.dataset for f in findings)
        for part in _of_dataset([f for f in findings if f.dataset == dataset], controls, width)
    ]
    return "\n\n".join(parts) + "\n"


def as_csv(findings: Sequence[Finding]) -> str:
    """Return a line for each series; lists within a field are parted by spaces."""
    text = io.StringIO()
    rows = [_row(finding, findings) for finding in findings]
    columns = dict.fromkeys(column for row in rows for column in row)
    writer = csv.DictWriter(text, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def twins_of(findings: Sequence[Finding]) -> list[tuple[str, ...]]:
    """Return the groups of series of one data set that have the same lengths and labels."""
    return twin_groups({f.series: f.health.twin_key for f in findings if f.health})


def doubles_of(findings: Sequence[Finding]) -> list[tuple[str, ...]]:
    """Return the groups of series of one data set that have the same values."""
    return twin_groups({f.series: f.health.value_key for f in findings if f.health})


def _of_dataset(findings: Sequence[Finding], controls: Sequence[str], width: int) -> list[str]:
    whole = [finding for finding in findings if finding.health]
    return [
        f"{findings[0].dataset}: {len(findings):,} series",
        _table(whole, width),
        _groups("twins (same lengths, same labels)", twins_of(whole), width),
        _groups("doubles (same values)", doubles_of(whole), width),
        _summary(findings, controls, width),
    ]


def _table(findings: Sequence[Finding], width: int) -> str:
    margin = max([6, *(len(finding.series) for finding in findings)])
    head = f"{'SERIES':{margin}}  EVENTS   DENSITY  REMARKS"
    rows = [
        _hanging(_numbers(finding, health, margin), _remarks(finding), len(head) - len("REMARKS"), width)
        for finding in findings
        if (health := finding.health)
    ]
    return "\n".join([head, *rows])


def _numbers(finding: Finding, health: Health, margin: int) -> str:
    events = "–" if health.events is None else f"{health.events:,}"
    density = "–" if health.density is None else f"{health.density:.2%}"
    return f"{finding.series:{margin}}  {events:>6}  {density:>8}  "


def _remarks(finding: Finding) -> str:
    solved = [f"solved by {', '.join(finding.solved_by)}"] if finding.solved_by else []
    return "; ".join([*solved, *finding.flags])


def _groups(title: str, groups: list[tuple[str, ...]], width: int) -> str:
    if not groups:
        return f"{title}: none"
    counted = "1 group" if len(groups) == 1 else f"{len(groups):,} groups"
    head = f"{title}: {sum(map(len, groups)):,} series in {counted}"
    return "\n".join([head, *(_hanging("  ", " = ".join(group), 4, width) for group in groups)])


def _summary(findings: Sequence[Finding], controls: Sequence[str], width: int) -> str:
    counts = Counter(flag for finding in findings for flag in finding.flags)
    solved = Counter(name for finding in findings for name in finding.solved_by)
    doubled = [name for group in twins_of(findings) for name in group[1:]]
    rows = [(f"solved by {name}", solved[name], "") for name in controls]
    rows += [("solved by any of these", sum(bool(f.solved_by) for f in findings), "")]
    rows += [("twin of an earlier one", len(doubled), f"{len(findings) - len(doubled):,} without these")]
    rows += [(flag, counts[flag], meaning) for flag, meaning in FLAGS.items() if counts[flag]]
    rows += [("cannot be read", count, "") for count in [sum(bool(f.fault) for f in findings)] if count]
    margin = max(len(name) for name, _, _ in rows)
    lines = [
        _hanging(f"  {name:{margin}}  {count:>6,}  ", meaning, margin + 12, width) for name, count, meaning in rows
    ]
    absent = [flag for flag in FLAGS if not counts[flag]]
    return "\n".join([f"of {len(findings):,} series", *lines, _hanging("  ", f"none: {', '.join(absent)}", 8, width)])


def _row(finding: Finding, findings: Sequence[Finding]) -> dict[str, object]:
    health = finding.health
    row: dict[str, object] = {"dataset": finding.dataset, "series": finding.series, "fault": finding.fault}
    if health is None:
        return row
    same = [other for other in findings if other.dataset == finding.dataset]
    return row | {
        "train_steps": finding.steps[0],
        "test_steps": finding.steps[1],
        "channels": finding.channels,
        "train_anomalies": health.train_anomalies,
        "events": health.events,
        "density": health.density,
        "missing": health.missing,
        "solved_by": " ".join(finding.solved_by),
        "flags": " ".join(finding.flags),
        "twins": " ".join(_others(finding.series, twins_of(same))),
        "doubles": " ".join(_others(finding.series, doubles_of(same))),
        "constant_channels": " ".join(health.constant_channels),
        "constant_in_training": " ".join(health.constant_in_training),
        "constant_in_test": " ".join(health.constant_in_test),
        "ends_in_anomaly": health.ends_in_anomaly,
    }


def _others(name: str, groups: list[tuple[str, ...]]) -> list[str]:
    return [other for group in groups if name in group for other in group if other != name]


def _hanging(first: str, text: str, indent: int, width: int) -> str:
    """Put a text beside what stands on the left, wrapped into the columns from `indent` on."""
    return (
        textwrap.fill(
            text,
            max(width, indent + 24),
            initial_indent=first,
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        if text
        else first.rstrip()
    )
