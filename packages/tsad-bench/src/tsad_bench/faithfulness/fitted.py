"""A fitted detector with its blame, kept until the others of its series have judged it and been judged by it."""

import logging
from pathlib import Path

import numpy as np
from tsad_core import Array
from tsad_core.detector import Detector

from tsad_bench.outcome import Settings

logger = logging.getLogger(__name__)

_BLAME, _CALIBRATION, _DETECTOR = "blame.npy", "calibration.npy", "detector"


def folder_of(slot: str, settings: Settings) -> Path:
    """Return where a cell's detector is kept, by its slot."""
    return Path(settings.folder) / "fitted" / slot


def keep(folder: Path, detector: Detector, calibration_T: Array, blame_TC: Array) -> None:
    """Write a detector, its calibration scores and its blame; what cannot be written costs a judgement alone."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / _BLAME, blame_TC)
        np.save(folder / _CALIBRATION, calibration_T)
        detector.save(folder / _DETECTOR)
    except Exception:
        logger.exception("%s is not kept for the others", type(detector).__name__)


def read_blame(folder: Path) -> Array:
    """Return the blame (T, C) that was kept."""
    return np.asarray(np.load(folder / _BLAME))


def read_judge(folder: Path, kind: type[Detector]) -> tuple[Detector, Array]:
    """Return the fitted detector that was kept, and its calibration scores."""
    return kind.load(folder / _DETECTOR), np.load(folder / _CALIBRATION)
