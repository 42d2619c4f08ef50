"""Point-adjusted F1 and PA%K: an event with enough alarms counts as if all its steps were alarms.

Adjustment inflates: one lucky step makes a long event perfect, and with the best threshold pure noise scores
high (Kim et al., AAAI 2022). These numbers mean something only beside those of random scores.
"""

from collections.abc import Iterable
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from tsad_core.metric import Card, metric
from tsad_core.metrics.events import alarms_of_events
from tsad_core.metrics.inputs import spans
from tsad_core.metrics.sweep import Grid, Sweep, alarms, anomalies, best, sweep
from tsad_core.series import Array
from tsad_core.thresholds import Rate, Rule

Percent = Annotated[int, Ge(0), Le(100)]
"""Percent of an event's steps that alarms must exceed for all of it to count: 0 is point adjustment, 100 is none."""

_SHARES = range(101)


@metric(
    Card(
        name="pa-f1",
        title="Point-adjusted F1 (label-free threshold; inflated)",
        definition="F1 at a threshold from calibration, every step of an event counted found if one is. Inflated: "
        "random scores do well; read it beside their 95th percentile only.",
        source="Xu et al., WWW 2018; as pak(k=0) of the MMA repository",
        low=0,
        high=1,
        better="higher",
    )
)
def pa_f1(
    *, labels_T: Array, scores_T: Array, calibration_T: Array, rule: Rule = "quantile", rate: Rate = 0.01
) -> float:
    """Return the point-adjusted F1 at a threshold set without labels, between 0 and 1; higher is better.

    `f1` after every step of an event that holds an alarm has become one. Inflated: compare with random scores
    only. No alarm gives 0; without an event it is `Undefined`.

    One alarm in an event of three steps, one false alarm: ``2 * 3 / (4 + 3)``.

    >>> labels_T, scores_T = np.array([1, 1, 1, 0]), np.array([5, 20, 9, 11])
    >>> round(pa_f1(labels_T=labels_T, scores_T=scores_T, calibration_T=np.arange(11)), 3)
    0.857
    """
    anomalous_T = anomalies(labels_T, scores_T)
    return pa_f1_of(anomalous_T, alarms(scores_T, calibration_T, rule=rule, rate=rate), k=0)


@metric(
    Card(
        name="pa-k-f1",
        title="PA%K F1 (label-free threshold; inflated)",
        definition="F1 at a threshold from calibration, every step of an event counted found if more than k percent "
        "are. Inflated by small k: read it beside random scores only.",
        source="Kim et al., AAAI 2022; as pak of the MMA repository",
        low=0,
        high=1,
        better="higher",
    )
)
def pa_k_f1(
    *,
    labels_T: Array,
    scores_T: Array,
    calibration_T: Array,
    rule: Rule = "quantile",
    rate: Rate = 0.01,
    k: Percent = 20,
) -> float:
    """Return the F1 adjusted where alarms exceed k percent of an event, between 0 and 1; higher is better.

    ``k=0`` is `pa_f1` and ``k=100`` is `f1`: more than all of an event is never alarmed. No alarm gives 0; without an
    event it is `Undefined`.

    One alarm in an event of three steps is more than 20 percent of it, but not more than 50.

    >>> given = {"labels_T": np.array([1, 1, 1, 0]), "scores_T": np.array([5, 20, 9, 11])}
    >>> round(pa_k_f1(**given, calibration_T=np.arange(11), k=20), 3)
    0.857
    >>> pa_k_f1(**given, calibration_T=np.arange(11), k=50)
    0.4
    """
    anomalous_T = anomalies(labels_T, scores_T)
    return pa_f1_of(anomalous_T, alarms(scores_T, calibration_T, rule=rule, rate=rate), k=k)


def pa_f1_of(anomalous_T: Array, alarmed_T: Array, *, k: int) -> float:
    """Return the F1 of alarms, adjusted in the events of which they cover more than k percent."""
    return _f1s(anomalous_T, alarmed_T, [k])[0]


def _f1s(anomalous_T: Array, alarmed_T: Array, shares: Iterable[int]) -> list[float]:
    """Return the F1 adjusted at each share; the steps are gone through once, the events for each share."""
    starts_K, stops_K = spans(anomalous_T)
    length_K, alarms_K = stops_K - starts_K, alarms_of_events(anomalous_T, alarmed_T)
    hits = [np.where(100 * alarms_K > k * length_K, length_K, alarms_K).sum() for k in shares]
    unchanged = np.count_nonzero(alarmed_T) - alarms_K.sum() + length_K.sum()
    return [float(2 * found / (unchanged + found)) for found in hits]


@metric(
    Card(
        name="pa-k-auc",
        title="Area under PA%K F1 (label-free threshold; inflated)",
        definition="Mean over k from 0 to 100 of the PA%K F1, at a threshold from calibration. Read it beside random "
        "scores only.",
        source="Kim et al., AAAI 2022; trapezoids over k = 0, 1, ..., 100",
        low=0,
        high=1,
        better="higher",
    )
)
def pa_k_auc(
    *, labels_T: Array, scores_T: Array, calibration_T: Array, rule: Rule = "quantile", rate: Rate = 0.01
) -> float:
    """Return the area under the PA%K F1 over k from 0 to 1, between 0 and 1; higher is better.

    Trapezoids between `pa_k_f1` at k = 0, 1, …, 100 percent, at one threshold set without labels. No alarm
    gives 0; without an event it is `Undefined`.

    One of two steps is found: F1 is 1 up to 49 percent and 2/3 from 50.

    >>> labels_T, scores_T = np.array([1, 1, 0]), np.array([5, 20, 9])
    >>> round(pa_k_auc(labels_T=labels_T, scores_T=scores_T, calibration_T=np.arange(11)), 4)
    0.8317
    """
    anomalous_T = anomalies(labels_T, scores_T)
    alarmed_T = alarms(scores_T, calibration_T, rule=rule, rate=rate)
    return _area(_f1s(anomalous_T, alarmed_T, _SHARES))


def _area(f1_K: list[float]) -> float:
    return float(np.trapezoid(f1_K)) / (len(f1_K) - 1)


@metric(
    Card(
        name="pa-f1-oracle",
        title="Point-adjusted F1 (best threshold; inflated)",
        definition="The highest point-adjusted F1 that any threshold reaches. Inflated twice, by labels and by "
        "adjustment: random scores come near 1; read it beside their 95th percentile only.",
        source="Xu et al., WWW 2018; as the MMA repository, step 0 adjusted like any other",
        low=0,
        high=1,
        better="higher",
    )
)
def pa_f1_oracle(*, labels_T: Array, scores_T: Array, grid: Grid = 0) -> float:
    """Return the highest point-adjusted F1 over all thresholds, between 0 and 1; higher is better.

    The maximum of `pa_f1` over the alarms ``scores_T >= s`` for every distinct score s, exactly. Without an
    event it is `Undefined`.

    At 20, all of the first event is found, nothing of the second; at 6 both, with one false alarm.

    >>> labels_T, scores_T = np.array([1, 1, 1, 0, 1, 0]), np.array([5, 20, 9, 11, 6, 1])
    >>> round(pa_f1_oracle(labels_T=labels_T, scores_T=scores_T), 3)
    0.889
    """
    return best(_adjusted(sweep(labels_T, scores_T, grid), k=0))


@metric(
    Card(
        name="pa-k-f1-oracle",
        title="PA%K F1 (best threshold; inflated)",
        definition="The highest PA%K F1 that any threshold reaches. Inflated by small k: read it beside random scores "
        "only.",
        source="Kim et al., AAAI 2022",
        low=0,
        high=1,
        better="higher",
    )
)
def pa_k_f1_oracle(*, labels_T: Array, scores_T: Array, k: Percent = 20, grid: Grid = 0) -> float:
    """Return the highest PA%K F1 over all thresholds, between 0 and 1; higher is better.

    The maximum of `pa_k_f1` over the alarms ``scores_T >= s`` for every distinct score s, exactly; ``k=0`` is
    `pa_f1_oracle`, ``k=100`` is `f1_oracle`. Without an event it is `Undefined`.

    One step in three is not more than 50 percent: two hits at 9, with one false alarm, complete the event.

    >>> labels_T, scores_T = np.array([1, 1, 1, 0]), np.array([5, 20, 9, 11])
    >>> round(pa_k_f1_oracle(labels_T=labels_T, scores_T=scores_T, k=50), 3)
    0.857
    """
    return best(_adjusted(sweep(labels_T, scores_T, grid), k=k))


@metric(
    Card(
        name="pa-k-auc-oracle",
        title="Area under PA%K F1 (best thresholds; inflated)",
        definition="Mean over k from 0 to 100 of the highest PA%K F1, the labels choosing a threshold for each k. "
        "Read it beside random scores only.",
        source="Kim et al., AAAI 2022; trapezoids over k = 0, 1, ..., 100",
        low=0,
        high=1,
        better="higher",
    )
)
def pa_k_auc_oracle(*, labels_T: Array, scores_T: Array, grid: Grid = 0) -> float:
    """Return the area under the highest PA%K F1 over k from 0 to 1, between 0 and 1; higher is better.

    Trapezoids between `pa_k_f1_oracle` at k = 0, 1, …, 100 percent. Without an event it is `Undefined`.

    The event outranks the normal step at every k.

    >>> pa_k_auc_oracle(labels_T=np.array([1, 1, 0]), scores_T=np.array([5, 20, 1]))
    1.0
    """
    found = sweep(labels_T, scores_T, grid)
    return _area([best(_adjusted(found, k=k)) for k in _SHARES])


def _adjusted(found: Sweep, *, k: int) -> Array:
    """F1 at each cut; the step that takes an event over k percent gains all that is left of it."""
    length_N = found.length_K[found.event_N]
    enough_N = k * length_N // 100 + 1
    rest_N = np.where(found.nth_N == enough_N, length_N - enough_N + 1, 0)
    hits_J = found.found(np.where(found.nth_N < enough_N, 1, rest_N))
    alarms_J = found.alarms_J - found.true_J + hits_J
    return np.asarray(2 * hits_J / (alarms_J + len(found.steps_N)))
