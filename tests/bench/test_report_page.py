"""The page of an execution: self-contained, escaped, whole whatever the execution holds."""

import html.parser
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from tsad_bench.cells import Cell
from tsad_bench.outcome import Outcome
from tsad_bench.report.colours import styles
from tsad_bench.report.figures import cost_figure, front
from tsad_bench.report.page import page
from tsad_bench.report.record import Record, Scores
from tsad_bench.report.svg import figure, inline, spread
from tsad_bench.report.table import markdown
from tsad_bench.report.tabular import of_agreement, of_wins
from tsad_bench.results import Results, collect

CONTROLS = {"random", "pca"}
NASTY = "<b>&|_%$x^2$"


def results(*rows, better: str = "higher") -> Results:
    """Make results of (detector, series, value or reason, condition, data set) rows; the last two may be missing."""
    pairs = []
    for detector, series, value, *more in rows:
        condition, dataset = [*more, *["clean", "d"][len(more) :]]
        cell = Cell(detector, detector, dataset, series, condition=condition)
        outcome = Outcome(cell.slot, facts={"distribution": "tsad-core" if detector in CONTROLS else "tsad-foo"})
        outcome.costs = {"fit-seconds": 0.5, "score-seconds": 0.0, "added-memory-mb": 10.0}
        if isinstance(value, str):
            outcome.status, outcome.reason, outcome.costs = "failed", value, {}
        else:
            outcome.metrics = {"m": value, "n": 1 - value}
        pairs.append((cell, outcome))
    return collect(pairs, metrics={"m": better, "n": "higher"}, headline="m")


def many(*detectors: str, series: int = 6, condition: str = "clean") -> list[tuple]:
    """Give each detector a value a series, the first the best."""
    rng = np.random.default_rng(0)
    return [
        (detector, f"s{n}", float(0.9 - 0.1 * place - 0.02 * rng.random()), condition)
        for n in range(series)
        for place, detector in enumerate(detectors)
    ]


class Outline(html.parser.HTMLParser):
    """What elements a page has, with their text, and whether they close in order."""

    VOID = frozenset({"meta", "br", "link", "path", "use", "rect", "circle"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.tags: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value or "" for name, value in attrs if name == "id"]

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))


RECORD = Record("smoke-1", "smoke", "Does it work?", facts={"command": "tsad-bench run"}, versions={"numpy": "2.4"})


@pytest.fixture(scope="module")
def whole() -> str:
    rows = many("foo", NASTY, "pca", "random", series=12)
    rows += many("foo", NASTY, "pca", "random", series=12, condition="train-anomalies@5")
    rows += many("foo", NASTY, "pca", "random", series=12, condition="sham-anomalies@5")
    return page(results(*rows), RECORD)


def test_the_page_loads_nothing_from_anywhere(whole: str) -> None:
    assert "http" not in whole
    assert not {"script", "link", "img", "iframe", "object"} & Outline(whole).tags
    assert "@import" not in whole
    assert set(re.findall(r"url\((.)", whole)) <= {"#"}


def test_the_page_is_well_formed_and_every_anchor_leads_somewhere(whole: str) -> None:
    outline = Outline(whole)
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))
    assert set(re.findall(r'href="#([^"]+)"', whole)) <= set(outline.ids)


def test_a_name_that_looks_like_markup_is_text_everywhere(whole: str) -> None:
    outline = Outline(whole)
    assert "<b>&" not in whole
    named = [tag for tag, text in outline.texts if text.strip().startswith(NASTY)]
    # in tables as it is, and in figures as text, not as a formula
    assert {"th", "text"} <= set(named)


def test_each_section_that_there_is_something_for_is_there(whole: str) -> None:
    ids = set(Outline(whole).ids)
    assert {"headline", "robustness", "ranks", "cost", "wins", "metrics", "stability", "run"} <= ids
    assert not {"missing", "cards", "lost", "slices", "variance"} & ids


def test_drawings_follow_the_page_in_light_and_dark(whole: str) -> None:
    assert "currentColor" in whole
    assert "#010203" not in whole
    assert "#000000" not in whole.split("</style>", 1)[1]
    assert "prefers-color-scheme: dark" in whole


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([("foo", "s0", 0.5)], id="one-detector-one-series"),
        pytest.param(many("foo"), id="one-detector"),
        pytest.param(many("foo", "pca", "random", series=1), id="one-series"),
        pytest.param(many("foo", "bar", "baz"), id="no-control"),
        pytest.param(many("pca", "random"), id="controls-alone"),
        pytest.param([(d, s, "no") for d in ("foo", "pca") for s in ("s0", "s1")], id="all-failed"),
        pytest.param([("foo", "s0", "no"), ("pca", "s0", 0.5)], id="a-detector-without-result"),
        pytest.param([(d, s, 0.5) for d in ("foo", "bar", "pca") for s in ("s0", "s1")], id="all-tie"),
        pytest.param([("foo", "s0", 0.5, "white-noise@10"), ("pca", "s0", 0.5, "white-noise@0")], id="no-clean"),
    ],
)
@pytest.mark.parametrize("better", ["higher", "neither"])
def test_there_is_a_page_whatever_the_execution_holds(rows: list[tuple], better: str) -> None:
    outline = Outline(page(results(*rows, better=better), Record("e")))
    assert outline.open == []
    assert "headline" in outline.ids
    assert not any("nan" in re.findall(r"\w+", text) for tag, text in outline.texts if tag in {"td", "text", "p"})


def test_without_clean_cells_all_metrics_are_under_the_first_condition_in_page_and_markdown_alike() -> None:
    rows = [("foo", "s0", 0.4, f"white-noise@{level}") for level in (10, 0)]
    made = results(*rows, ("pca", "s0", 0.3, "white-noise@10"), ("pca", "s0", 0.2, "white-noise@0"))
    told = markdown(made)
    assert "### d\n\nAll metrics under `white-noise@10`." in told
    assert re.search(r"\| foo +\| 0.400 +\| 0.600 ", told)
    section = page(made, Record("e")).partition('<section id="metrics"')[2].partition("</section>")[0]
    assert "All metrics under white-noise@10." in section
    assert "0.600" in section


def test_a_matrix_says_nothing_of_one_against_itself_and_says_why_a_pair_is_missing() -> None:
    shares = pd.DataFrame([[np.nan, 0.5], [np.nan, np.nan]], index=["a", "b"], columns=["a", "b"])
    grid = of_wins(shares)
    assert grid.rows == [["a", "", "50%"], ["b", "–", ""]]
    assert "–: no series that both have done." in grid.note
    found = pd.DataFrame(
        [["m", "n", np.nan, 3, "all detectors tie"]], columns=["first", "second", "tau", "n", "reason"]
    )
    assert of_agreement(found, "metrics").note.endswith(" –: all detectors tie.")


def test_an_execution_without_cells_is_a_page_that_says_so() -> None:
    assert "No cells." in page(results(), Record("e"))


def test_cells_that_are_not_done_stand_there_with_their_reasons() -> None:
    text = page(results(("foo", "s0", "too <long>"), ("pca", "s0", 0.5)), Record("e", lacks="3 of 4 cells"))
    assert "too &lt;long&gt;" in text
    assert "3 of 4 cells" in text


def test_the_first_sentence_says_who_is_above_the_floor() -> None:
    made = results(*many("foo", "pca", "random", "bar", series=6))
    assert "1 of 2 detectors is above the floor on m: foo." in page(made, Record("e"))


def test_scores_of_the_series_where_a_control_wins_are_drawn_if_they_were_kept() -> None:
    made = results(*many("pca", "foo", series=4))
    kept = Scores(np.linspace(0, 1, 50), np.arange(50) > 40)
    asked: list[str] = []
    drawn = page(made, Record("e"), fetch=lambda slot: asked.append(slot) or kept)
    assert drawn.count("events shaded.</figcaption>") == 3
    assert set(asked) <= set(made.frame["slot"])
    without = page(made, Record("e"))
    assert "events shaded.</figcaption>" not in without
    assert 'id="lost"' in without


def test_drawings_of_one_page_share_no_ids() -> None:
    drawn = []
    for name in ("one", "two"):
        with figure(2, 2) as drawing:
            drawing.subplots().plot([0, 1], [0, 1], "o")
            drawn.append(inline(drawing, name=name, alt='a "b" <c>'))
    ids = [set(re.findall(r'\bid="([^"]+)"', svg)) for svg in drawn]
    assert ids[0]
    assert not ids[0] & ids[1]
    for svg, own in zip(drawn, ids, strict=True):
        assert set(re.findall(r'href="#([^"]+)"', svg)) | set(re.findall(r"url\(#([^)]+)\)", svg)) <= own
        assert 'aria-label="a &#34;b&#34; &lt;c&gt;"' in svg


SPENT = {
    "mma:quick": (8.6, 0.98, 133.0),
    "matrix-profile": (0.13, 0.75, 315.0),
    "k-means": (0.04, 0.805, 17.5),
    "pca": (0.024, 0.805, 9.4),
    "random": (0.001, 0.19, 2.3),
}


@pytest.mark.parametrize("points", [SPENT, {"a-name-as-long-as-they-get": (1.0, 0.5, 9.0)}, {"a": (1.0, 0.5, np.nan)}])
def test_names_of_points_stay_inside_their_panel(points: dict[str, tuple[float, float, float]]) -> None:
    drawn = cost_figure(points, styles(list(points), controls=[]), metric="m", better="higher", name="cost")
    for panel in re.split(r'id="cost-axes_\d"', drawn)[1:]:
        edges = [float(x) for x in re.findall(r"[ML] ([\d.]+) ", panel.partition(' d="')[2].partition('"')[0])]
        names = re.findall(r'text-anchor: (\w+)[^>]* x="([-\d.]+)"[^>]*>([a-z][a-z:-]*)</text>', panel)
        for anchor, x, name in [found for found in names if found[2] in points]:
            width = TextPath((0, 0), name, size=9, prop=FontProperties(family="DejaVu Sans")).get_extents().width
            left = float(x) - width * {"start": 0, "middle": 0.5, "end": 1}[anchor]
            assert min(edges) <= left
            assert left + width <= max(edges)
    assert drawn.count(f">{next(iter(points))}</text>") == (1 if "a" in points else 2)


def test_names_are_moved_apart_in_their_order_and_kept_within_limits() -> None:
    assert spread([], 1.0) == []
    assert spread([0.0, 3.0], 1.0) == [0.0, 3.0]
    assert spread([0.0, 0.0, 0.0], 1.0) == [0.0, 1.0, 2.0]
    assert spread([1.0, 0.9], 1.0, low=0.0, high=1.5) == [1.5, 0.5]


@pytest.mark.parametrize(
    ("better", "kept"), [("higher", [(1.0, 0.5), (3.0, 0.6)]), ("lower", [(1.0, 0.5), (2.0, 0.4)])]
)
def test_the_front_holds_what_nothing_at_most_as_dear_beats(better: str, kept: list) -> None:
    points = {"a": (1.0, 0.5), "b": (2.0, 0.4), "c": (3.0, 0.6), "tie": (1.0, 0.5), "dear": (3.0, 0.5)}
    assert front(points, better=better) == kept
