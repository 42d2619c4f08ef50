"""The zones of events, and how near alarms in them are to their event and it to them; for `affiliation`."""

from dataclasses import dataclass

import numpy as np

from tsad_core.metrics.inputs import spans
from tsad_core.series import Array


@dataclass(frozen=True)
class Zones:
    """Where the events K and their zones begin and end, in steps; zones may end in the middle of one."""

    start_K: Array
    stop_K: Array
    low_K: Array
    high_K: Array


def zones_of(anomalous_T: Array) -> Zones:
    """Return the events with their zones, which meet midway between two events."""
    start_K, stop_K = (edges_K.astype(np.float64) for edges_K in spans(anomalous_T))
    middle = (stop_K[:-1] + start_K[1:]) / 2
    return Zones(start_K, stop_K, np.append(0.0, middle), np.append(middle, float(len(anomalous_T))))


@dataclass(frozen=True)
class Pieces:
    """Alarms M, as intervals cut where zones meet; zone by zone and from left to right."""

    low_M: Array
    high_M: Array
    zone_M: Array
    source_M: Array
    """Which of the intervals each is a piece of."""


def pieces_of(zones: Zones, starts_N: Array, stops_N: Array) -> Pieces:
    """Return intervals, from left to right, cut where zones meet."""
    first_N = np.searchsorted(zones.high_K, starts_N, side="right")
    count_N = np.searchsorted(zones.low_K, stops_N, side="left") - first_N
    source_M = np.repeat(np.arange(len(starts_N)), count_N)
    zone_M = np.arange(len(source_M)) + np.repeat(first_N - (np.cumsum(count_N) - count_N), count_N)
    low_M = np.maximum(starts_N[source_M], zones.low_K[zone_M])
    high_M = np.minimum(stops_N[source_M], zones.high_K[zone_M])
    return Pieces(low_M, high_M, zone_M, source_M)


def worth(zones: Zones, pieces: Pieces) -> Array:
    """Return the integral over each piece of the share of its zone that lies farther from the event."""
    inside_M, outside_M = np.zeros(len(pieces.zone_M)), np.zeros(len(pieces.zone_M))
    for edge_M, sign in ((pieces.high_M, 1), (pieces.low_M, -1)):
        left_M = edge_M - zones.start_K[pieces.zone_M]
        right_M = edge_M - zones.stop_K[pieces.zone_M]
        inside_M += sign * (np.maximum(left_M, 0) - np.maximum(right_M, 0))
        distance_M = np.maximum(np.maximum(-left_M, right_M), 0)
        beyond_M = _beyond(zones, pieces.zone_M, distance_M)
        outside_M += sign * np.where(left_M < 0, -beyond_M, beyond_M)
    return np.asarray(inside_M + outside_M / (zones.high_K - zones.low_K)[pieces.zone_M])


def _beyond(zones: Zones, zone_M: Array, distance_M: Array) -> Array:
    """Integral, up to a distance, of how much of the zone lies farther from the event on either side."""
    total_M = np.zeros(len(zone_M))
    for room_K in (zones.start_K - zones.low_K, zones.high_K - zones.stop_K):
        within_M = np.minimum(distance_M, room_K[zone_M])
        total_M += within_M * (2 * room_K[zone_M] - within_M) / 2
    return total_M


def inside(zones: Zones, zone_M: Array, low_M: Array, high_M: Array) -> Array:
    """Return the share of the event that lies between two places."""
    start_M, stop_M = zones.start_K[zone_M], zones.stop_K[zone_M]
    covered_M = np.minimum(high_M, stop_M) - np.maximum(low_M, start_M)
    return np.asarray(np.maximum(covered_M, 0) / (stop_M - start_M))


def gap(zones: Zones, zone_M: Array, left_M: Array, right_M: Array) -> Array:
    """Return what the places of the event between two alarms add to its recall; an alarm at infinity is none."""
    start_M, stop_M = zones.start_K[zone_M], zones.stop_K[zone_M]
    low_M, high_M = zones.low_K[zone_M], zones.high_K[zone_M]
    # with no alarm on one side the other is the nearer one everywhere; with none at all, NaN, neither is
    with np.errstate(invalid="ignore"):
        middle_M = np.clip((left_M + right_M) / 2, start_M, stop_M)
    nearer_left_M = _beside(left_M, low_M, high_M, start_M, middle_M)
    nearer_right_M = _beside(-right_M, -high_M, -low_M, -stop_M, -middle_M)
    return np.asarray((nearer_left_M + nearer_right_M) / ((high_M - low_M) * (stop_M - start_M)))


def _beside(alarm_M: Array, low_M: Array, high_M: Array, from_M: Array, to_M: Array) -> Array:
    """Integral, over the places right of an alarm, of how much of the zone is farther off than the alarm."""
    from_M = np.maximum(from_M, alarm_M)
    some_M = from_M < to_M
    alarm_M, from_M, to_M = (np.where(some_M, edge_M, low_M) for edge_M in (alarm_M, from_M, to_M))
    # right of here, nothing on the right is farther off than the alarm
    turn_M = (high_M + alarm_M) / 2
    upto_M, since_M = np.minimum(to_M, turn_M), np.minimum(from_M, turn_M)
    right_M = (upto_M - since_M) * (2 * turn_M - upto_M - since_M)
    return np.asarray((alarm_M - low_M) * (to_M - from_M) + right_M)
