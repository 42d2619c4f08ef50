"""Which steps of a training part are fitted, and which calibrate: scores on these give every threshold."""

FIT_SHARE = 0.8


def split(steps: int, *, gap: int) -> tuple[int, int]:
    """Return where fitting stops and where the calibration tail starts, in steps.

    The first 80 % are fitted. The gap keeps windows of the tail clear of what was fitted; it takes a
    tenth of the tail at most. A training part of fewer than 20 steps is fitted and calibrated whole.

    >>> split(1000, gap=15)
    (800, 815)
    """
    if steps < 20:
        return steps, 0
    stop = int(steps * FIT_SHARE)
    return stop, stop + min(gap, (steps - stop) // 10)
