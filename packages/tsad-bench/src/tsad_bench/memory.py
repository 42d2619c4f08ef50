"""The memory of this process: what it holds now, and its peak since the last reset."""

from pathlib import Path

import psutil

_PROC = Path("/proc/self")


def resident_mb() -> float:
    """Return the resident memory of this process in MiB."""
    return float(psutil.Process().memory_info().rss) / 2**20


def reset_peak() -> None:
    """Begin a new peak, where the system can (Linux); elsewhere the peak is that of the process."""
    try:
        (_PROC / "clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return


def peak_mb() -> float:
    """Return the highest resident memory since the last reset in MiB."""
    try:
        status = (_PROC / "status").read_text(encoding="ascii")
    except OSError:
        return resident_mb()
    line = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "")
    return float(line.split()[1]) / 1024 if line else resident_mb()
