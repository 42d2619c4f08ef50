"""A detector whose module takes as long to load as it is told, as a large library would."""

import os
import time
from typing import Any

import numpy as np
from tsad_core import Array, Detection, detector

time.sleep(float(os.environ.get("TARDY_SECONDS", "0")))


@detector
class Tardy:
    """The size of the first channel."""

    def fit(self, train_TC: Array) -> Any:
        return self

    def detect(self, test_TC: Array) -> Detection:
        return Detection(np.abs(test_TC[:, 0]))
