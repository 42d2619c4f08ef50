"""The table of `tsad-bench data health`: its words fit what it counts."""

import numpy as np
import pytest
from tsad_bench.data.chart import chart
from tsad_bench.data.health import Finding
from tsad_core import Series
from tsad_core.health import health_of


def finding(name: str, *, start: int) -> Finding:
    values_TC = np.random.default_rng(len(name)).normal(size=(100, 1))
    labels_T = np.arange(100) == start
    series = Series(name=name, train_TC=values_TC, test_TC=values_TC, labels_T=labels_T)
    return Finding(dataset="toy", series=name, health=health_of(series))


@pytest.mark.parametrize(
    ("starts", "told"),
    [
        ((10, 20), "twins (same lengths, same labels): none"),
        ((10, 10), "twins (same lengths, same labels): 2 series in 1 group\n"),
        ((10, 10, 10, 20, 20), "twins (same lengths, same labels): 5 series in 2 groups\n"),
    ],
)
def test_groups_are_counted_in_one_and_in_many(starts: tuple[int, ...], told: str) -> None:
    findings = [finding(f"s{number}", start=start) for number, start in enumerate(starts)]
    assert told in chart(findings, controls=[], width=100)
