"""What the bench itself costs: many cells of a trivial detector on tiny series, logged to SQLite.

    uv run python benchmarks/overhead.py            1,000 cells with 2 workers
    uv run python benchmarks/overhead.py --profile  and where the parent spends its time

Prints whole seconds, milliseconds a cell, and the seconds of a run of one cell to set beside them.
"""

import argparse
import cProfile
import dataclasses
import os
import pstats
import sys
import tempfile
import time
from pathlib import Path

FAULTY = Path(__file__).parents[1] / "tests" / "bench" / "faulty"

SUITE = """
name = "overhead"
headline = "auc-pr"
detectors = ["trivial"]
datasets = [{{ name = "tiny", options = {{ count = {count} }} }}]
metrics = ["auc-pr", "auc-roc", "vus-pr", "f1", "false-alarm-rate"]
"""


def run(count: int, *, jobs: int, artifacts: str) -> float:
    """Run that many cells in an empty folder and return the seconds it took."""
    from tsad_bench import runner
    from tsad_bench.order import make_order
    from tsad_bench.progress import Silent
    from tsad_bench.suite import parse_suite
    from tsad_core import find_plugins

    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        before = time.perf_counter()
        suite = parse_suite(SUITE.format(count=count), source="overhead")
        order = make_order(suite, find_plugins(), options={}, jobs=jobs, artifacts=artifacts)
        finished = runner.begin(dataclasses.replace(order, pictures=0), find_plugins(), progress=Silent())
        seconds = time.perf_counter() - before
        assert (finished.results.frame["status"] == "done").all()
        assert not finished.untracked
        os.chdir("/")
    return seconds


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--artifacts", default="scores")
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    sys.path.insert(0, str(FAULTY))
    os.environ["PYTHONPATH"] = str(FAULTY)
    one = run(1, jobs=given.jobs, artifacts=given.artifacts)
    profile = cProfile.Profile()
    if given.profile:
        profile.enable()
    many = run(given.cells, jobs=given.jobs, artifacts=given.artifacts)
    profile.disable()
    each = (many - one) / (given.cells - 1) * 1000
    print(f"1 cell: {one:.1f} s; {given.cells} cells: {many:.1f} s; {each:.1f} ms a cell")
    if given.profile:
        pstats.Stats(profile).sort_stats("cumulative").print_stats(
            "tsad_bench|mlflow/tracking/client|connection.py", 30
        )


if __name__ == "__main__":
    main()
