"""How good TimeVQVAE-AD's counterfactuals are where the truth is known: generated series and their normal values.

Run as ``python benchmarks/counterfactuals.py [--series 6] [--samples 8] [--preset NAME]``; needs tsad-baselines. For
series of one and of five channels it prints, as means over series:

- the share of guilty cells (an anomalous step of a channel that causes it) and of all others that was drawn anew;
- of the guilty cells drawn anew, the share whose true value lies within the range of the samples: (S - 1) of (S + 1) if
  truth and S samples were drawn alike;
- the median width of that range, the root mean square distance of `expected_TC` from the truth there, and that of what
  was observed, in standard deviations of the channel's training part.
"""

import argparse

import numpy as np
from tsad_baselines.timevqvae_ad import TimeVQVAEAD
from tsad_core import Array, Series
from tsad_core.datasets.synthetic import Recipe, generate

COLUMNS = ("guilty", "others", "held", "width", "expected", "observed")


def measure(series: Series, detector: TimeVQVAEAD, samples: int) -> list[float]:
    """Return the numbers of one series, in the order of `COLUMNS`; NaN where no guilty cell was drawn anew."""
    drawn = detector.fit(series.train_TC).counterfactuals(series.test_TC, samples=samples)
    expected_TC = detector.detect(series.test_TC).expected_TC
    assert series.root_causes_TC is not None
    assert series.normal_TC is not None
    guilty_TC, truth_TC = series.root_causes_TC, series.normal_TC
    chosen_TC = guilty_TC & drawn.edited_TC
    shares = [drawn.edited_TC[guilty_TC].mean(), drawn.edited_TC[~guilty_TC].mean()]
    if not chosen_TC.any():
        return [*shares, *[np.nan] * 4]
    low_TC, high_TC = drawn.low, drawn.high
    held = ((low_TC <= truth_TC) & (truth_TC <= high_TC))[chosen_TC].mean()
    spread_C = series.train_TC.std(axis=0)
    width = np.median(((high_TC - low_TC) / spread_C)[chosen_TC])
    off = [_rms(((part_TC - truth_TC) / spread_C)[chosen_TC]) for part_TC in (expected_TC, series.test_TC)]
    return [*shares, held, float(width), *off]


def _rms(values_N: Array) -> float:
    return float(np.sqrt(np.square(values_N).mean()))


def main() -> None:
    """Print a row for each number of channels."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=6)
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--preset", choices=sorted(TimeVQVAEAD.presets))
    given = parser.parse_args()
    options = TimeVQVAEAD.presets[given.preset] if given.preset else {}
    print("channels" + "".join(f"{name:>10}" for name in COLUMNS))
    for channels in (1, 5):
        rows = []
        for index in range(given.series):
            series, _ = generate(Recipe(channels=channels), index)
            rows.append(measure(series, TimeVQVAEAD(**options), given.samples))
        print(f"{channels:8}" + "".join(f"{mean:10.3f}" for mean in np.nanmean(rows, axis=0)), flush=True)


if __name__ == "__main__":
    main()
