"""Agreement between orders: hand-counted tau-b, directions, what has no order."""

import numpy as np
import pytest
from scipy import stats
from tsad_bench.statistics import agreement_of_datasets, agreement_of_metrics

BETTER = {"m": "higher", "k": "lower", "rate": "neither"}


def test_metrics_that_order_alike_agree_whichever_way_they_point(make) -> None:
    values = {"a": (0.9, 1.0), "b": (0.5, 2.0), "c": (0.1, 3.0)}
    rows = [{"detector": d, "value": {"m": m, "k": k, "rate": 0.0}} for d, (m, k) in values.items()]
    found = agreement_of_metrics(make(*rows, better=BETTER))
    assert found.to_dict("records") == [{"first": "m", "second": "k", "tau": pytest.approx(1.0), "n": 3, "reason": ""}]


def test_tau_b_with_a_tie_as_counted_by_hand(make) -> None:
    # pairs: ab tied in k, ac and bc concordant: 2 / sqrt(3 * 2)
    values = {"a": (3.0, 5.0), "b": (2.0, 5.0), "c": (1.0, 4.0)}
    rows = [{"detector": d, "value": {"m": m, "k": k}} for d, (m, k) in values.items()]
    found = agreement_of_metrics(make(*rows, better={"m": "higher", "k": "higher"}))
    assert found["tau"].item() == pytest.approx(2 / np.sqrt(6))


def test_data_sets_are_compared_pair_by_pair_on_the_means_over_their_series(make) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(3, 4, 5))
    rows = [
        {"detector": f"x{d}", "value": values[n, s, d], "dataset": "uvw"[n], "series": f"s{s}"}
        for n, s, d in np.ndindex(3, 4, 5)
    ]
    found = agreement_of_datasets(make(*rows)).set_index(["first", "second"])
    assert list(found.index) == [("u", "v"), ("u", "w"), ("v", "w")]
    means = values.mean(axis=1)
    assert found.loc[("u", "w"), "tau"] == pytest.approx(stats.kendalltau(means[0], means[2]).statistic)


def test_a_detector_missing_from_a_data_set_is_not_counted_there(make) -> None:
    rows = [{"detector": d, "value": v, "dataset": n} for n in "uv" for d, v in (("a", 1.0), ("b", 2.0), ("c", 3.0))]
    rows += [{"detector": "d", "value": 9.0, "dataset": "u"}, {"detector": "d", "value": "no", "dataset": "v"}]
    assert agreement_of_datasets(make(*rows))["n"].item() == 3


def test_a_series_that_one_has_not_done_is_left_out_for_all(make) -> None:
    # on the series that all have done, the orders are the same
    kept = [{"detector": d, "value": v, "dataset": n} for n in "uv" for d, v in (("a", 1.0), ("b", 2.0), ("c", 3.0))]
    lost = [
        {"detector": d, "value": v, "dataset": "v", "series": "s1"} for d, v in (("a", 9.0), ("b", "no"), ("c", -9.0))
    ]
    assert agreement_of_datasets(make(*kept, *lost))["tau"].item() == pytest.approx(1)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"a": 1.0, "b": 2.0}, "2 detectors in common; an order wants 3 or more"),
        ({"a": 1.0, "b": 1.0, "c": 1.0}, "all detectors tie"),
        ({"a": "no", "b": "no", "c": "no"}, "0 detectors in common; an order wants 3 or more"),
    ],
)
def test_where_there_is_no_order_the_reason_is_told(make, values, reason) -> None:
    rows = [{"detector": d, "value": v, "dataset": n} for n in "uv" for d, v in values.items()]
    found = agreement_of_datasets(make(*rows))
    assert found["reason"].item() == reason
    assert np.isnan(found["tau"].item())


def test_data_sets_that_are_not_pooled_are_compared_too(make) -> None:
    rows = [
        {"detector": d, "value": v, "dataset": n}
        for n in ("ucr", "smd", "nab")
        for d, v in zip("abc", (1.0, 2.0, 3.0), strict=True)
    ]
    assert agreement_of_datasets(make(*rows))["second"].tolist() == ["smd", "nab", "nab"]


def test_one_metric_or_one_data_set_has_nothing_to_agree_with(make) -> None:
    made = make({"detector": "a", "value": 1.0})
    assert agreement_of_metrics(made).empty
    assert list(agreement_of_datasets(made).columns) == ["first", "second", "tau", "n", "reason"]
