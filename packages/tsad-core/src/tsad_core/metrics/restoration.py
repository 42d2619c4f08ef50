"""Whether expected values restore the normal series: how much of an anomaly they undo, and what they harm elsewhere.

The two are a pair: a detector that expects what it observes does no harm and has no skill, so that where one is
`Undefined` the other is too. Both need the series without its anomalies. Anomalous cells are the root causes of an
event, or all channels of an event without any; all others are normal. Cells that the series misses (NaN) are left out.
"""

import math

import numpy as np

from tsad_core.errors import DataError, Undefined
from tsad_core.metric import Card, metric
from tsad_core.metrics.blame import guilty
from tsad_core.metrics.inputs import check, marks, same_shape, spans
from tsad_core.series import Array

_SOURCE = "own definition, after the explainability experiment of the MMA paper"


@metric(
    Card(
        name="restoration-skill",
        title="Restoration skill (anomalous cells)",
        definition="1 - ED(normal, expected) / ED(normal, observed) over the anomalous cells, ED being Euclidean.",
        source=_SOURCE,
        low=-math.inf,
        high=1,
        better="higher",
    )
)
def restoration_skill(
    *,
    labels_T: Array,
    root_causes_TC: Array,
    normal_TC: Array,
    expected_TC: Array,
    observed_TC: Array,
    train_TC: Array,
) -> float:
    """Return how much of the distance to the normal series is undone: 1 all, 0 none; higher is better.

    ``1 - ED(normal, expected) / ED(normal, observed)``, one Euclidean distance over all anomalous cells, in the units
    of the series; negative if the expected values are further off than the observed ones. `Undefined` without an
    event, where the observed values of all anomalous cells are normal, and where `restoration_harm`, which stands
    beside it, is; `train_TC` serves to tell that.

    The anomaly adds 4, of which 1 is left.

    >>> values = {"normal_TC": np.zeros((2, 1)), "observed_TC": np.array([[0], [4]]), "expected_TC": np.ones((2, 1))}
    >>> values |= {"root_causes_TC": np.array([[0], [1]]), "train_TC": np.array([[-1], [1]])}
    >>> restoration_skill(labels_T=np.array([0, 1]), **values)
    0.75
    """
    values = {"expected_TC": expected_TC, "normal_TC": normal_TC, "observed_TC": observed_TC}
    return _pair(labels_T, root_causes_TC, train_TC, **values)[0]


@metric(
    Card(
        name="restoration-harm",
        title="Restoration harm (normal cells)",
        definition=(
            "ED(observed, expected) / sqrt(n) over the n normal cells, "
            "in standard deviations of each channel's training part."
        ),
        source=_SOURCE,
        low=0,
        high=math.inf,
        better="lower",
    )
)
def restoration_harm(
    *,
    labels_T: Array,
    root_causes_TC: Array,
    normal_TC: Array,
    expected_TC: Array,
    observed_TC: Array,
    train_TC: Array,
) -> float:
    """Return by how many standard deviations expected values are off where nothing is wrong; lower is better.

    The root mean square of ``(observed - expected) / sd`` over the normal cells, sd that of the channel in the
    training part: 1 is about what expecting each channel's mean gets. Channels that are constant there have no
    such unit and are left out. `Undefined` without a normal cell in a channel that varies there, and where
    `restoration_skill` is, as each means little without the other.

    Of two normal cells one is off by 2, in a channel with deviation 1: sqrt(2² / 2).

    >>> causes_TC, train_TC = np.array([[0], [0], [1]]), np.array([[-1], [1]])
    >>> values = {"normal_TC": np.zeros((3, 1)), "observed_TC": np.array([[0], [0], [9]])}
    >>> values |= {"expected_TC": np.array([[2], [0], [0]]), "train_TC": train_TC}
    >>> round(restoration_harm(labels_T=np.array([0, 0, 1]), root_causes_TC=causes_TC, **values), 3)
    1.414
    """
    values = {"expected_TC": expected_TC, "normal_TC": normal_TC, "observed_TC": observed_TC}
    return _pair(labels_T, root_causes_TC, train_TC, **values)[1]


def _pair(labels_T: Array, root_causes_TC: Array, train_TC: Array, **values: Array) -> tuple[float, float]:
    """Return skill and harm; where one has no value, neither is given."""
    anomalous_TC, calm_TC = _cells(labels_T, root_causes_TC, **values)
    return _skill(anomalous_TC, **values), _harm(calm_TC, train_TC, values["expected_TC"], values["observed_TC"])


def _skill(anomalous_TC: Array, *, normal_TC: Array, expected_TC: Array, observed_TC: Array) -> float:
    damage = _distance(normal_TC, observed_TC, anomalous_TC)
    if damage == 0:
        raise Undefined("the observed values of all anomalous cells are the normal ones: nothing to restore")
    return 1 - _distance(normal_TC, expected_TC, anomalous_TC) / damage


def _harm(calm_TC: Array, train_TC: Array, expected_TC: Array, observed_TC: Array) -> float:
    sd_C = _deviations(train_TC, channels=calm_TC.shape[1])
    total_C = [_distance(observed_TC[:, c], expected_TC[:, c], calm_TC[:, c]) for c in range(len(sd_C))]
    varies_C = sd_C > 0
    n = np.count_nonzero(calm_TC[:, varies_C])
    if not n:
        raise Undefined("no normal cell in a channel that varies in the training part")
    return float(np.linalg.norm(np.array(total_C)[varies_C] / sd_C[varies_C]) / np.sqrt(n))


def _cells(labels_T: Array, root_causes_TC: Array, *, expected_TC: Array, **series: Array) -> tuple[Array, Array]:
    """Return which cells are anomalous and which normal, of checked values; missing ones are neither."""
    missing = {name: np.isnan(values_TC) for name, values_TC in series.items()}
    present = {name: np.where(missing[name], 0, values_TC) for name, values_TC in series.items()}
    values = {"root_causes_TC": root_causes_TC, "expected_TC": expected_TC, **present}
    anomalous_T = check(labels_T, **values)
    same_shape("root_causes_TC", values)
    if not anomalous_T.any():
        raise Undefined("no event in the labels")
    guilty_TC = _anomalous(anomalous_T, marks("root_causes_TC", root_causes_TC))
    known_TC = ~np.logical_or.reduce(list(missing.values()))
    return guilty_TC & known_TC, ~guilty_TC & known_TC


def _anomalous(anomalous_T: Array, causes_TC: Array) -> Array:
    """Return the cells of the root causes; of an event without any, all."""
    starts_K, stops_K = spans(anomalous_T)
    unknown_K = ~guilty(anomalous_T, causes_TC).any(axis=1)
    cells_TC = causes_TC & anomalous_T[:, None]
    for start, stop in zip(starts_K[unknown_K], stops_K[unknown_K], strict=True):
        cells_TC[start:stop] = True
    return cells_TC


def _deviations(train_TC: Array, *, channels: int) -> Array:
    """Return the standard deviation of each channel's present values, 0 for a constant one."""
    train_TC = np.asarray(train_TC, dtype=np.float64)
    if train_TC.ndim != 2 or train_TC.shape[1] != channels:
        raise DataError(f"train_TC has shape {train_TC.shape}; expected (steps, {channels})")
    if np.isinf(train_TC).any():
        raise DataError("train_TC holds an infinite value; a metric takes finite values only")
    present = [channel_T[~np.isnan(channel_T)] for channel_T in train_TC.T]
    # by comparison first, as the sums of equal values may leave a remainder
    return np.array([np.std(known_T) if (known_T != known_T[:1]).any() else 0.0 for known_T in present])


def _distance(one_TC: Array, other_TC: Array, cells_TC: Array) -> float:
    return float(np.linalg.norm(one_TC[cells_TC].astype(np.float64) - other_TC[cells_TC]))
