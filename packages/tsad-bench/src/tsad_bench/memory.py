"""The memory of this process: what it holds now, and its peak since the last reset."""

import contextlib
import ctypes
from pathlib import Path

import psutil

_PROC = Path("/proc/self")


def resident_mb() -> float:
    """Return the resident memory of this process in MiB."""
    return float(psutil.Process().memory_info().rss) / 2**20


def reset_peak() -> None:
    """Give freed memory back and begin a new peak, where the system can (Linux, glibc).

    Elsewhere the peak is that of the process, and what one cell freed is not counted for the next.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
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
