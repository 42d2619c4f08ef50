"""A run that is killed at any moment is finished by resume: nothing lost, nothing twice, nothing open."""

import json
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from tsad_bench import run_suite
from tsad_bench.journal import read_events
from tsad_bench.suite import parse_suite

DRIVER = Path(__file__).parent / "killing.py"

pytestmark = [pytest.mark.usefixtures("faulty", "in_process"), pytest.mark.timeout(900)]


@pytest.fixture
def killed(own_folder: Path) -> Path:
    """The working directory of an execution that was killed at every planted moment, then resumed."""
    done = subprocess.run([sys.executable, str(DRIVER)], capture_output=True, text=True, check=True, timeout=800)
    *moments, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert [moment for moment in moments if moment[1] != signal.SIGKILL] == []
    assert last == ["None", 0]
    return own_folder


def test_a_run_killed_at_any_moment_is_finished_by_resume(killed: Path) -> None:
    (journal,) = (killed / "tsad-runs").iterdir()
    cells = [event for event in read_events(journal) if event["event"] == "cell"]
    assert len(cells) == 24
    assert set(Counter(event["slot"] for event in cells).values()) == {1}
    assert Counter(event["status"] for event in cells) == {"done": 16, "failed": 8}
    with sqlite3.connect(killed / "mlflow.db") as store:
        runs = "select e.name, r.status, count(*) from runs r join experiments e using (experiment_id) group by 1, 2"
        assert {(name, status): n for name, status, n in store.execute(runs)} == {
            ("killed", "FINISHED"): 4,
            ("killed/cells", "FINISHED"): 16,
            ("killed/cells", "FAILED"): 8,
        }
        slots = [slot for (slot,) in store.execute("select value from tags where key = 'tsad.cell'")]
        assert sorted(slots) == sorted(event["slot"] for event in cells)
        twice = "select run_uuid, key, step, count(*) from metrics group by 1, 2, 3 having count(*) > 1"
        assert store.execute(twice).fetchall() == []
        params = store.execute("select count(*) from params where key = 'detector'").fetchone()
        assert params == (3,)
        logged = dict(
            store.execute(
                "select t.value, m.value from metrics m join tags t using (run_uuid)"
                " where t.key = 'tsad.cell' and m.key = 'auc-pr'"
            )
        )
    assert logged == {event["slot"]: event["metrics"]["auc-pr"] for event in cells if event["status"] == "done"}
    assert [path.name for path in journal.iterdir()] == ["journal.jsonl"]
    sys.path.insert(0, str(DRIVER.parent))
    from killing import SUITE

    frame = run_suite(parse_suite(SUITE, source="here"), options={"random": {"draws": 3}}, jobs=2)
    unbroken = frame.dropna(subset=["auc-pr"]).set_index("slot")["auc-pr"].to_dict()
    assert unbroken == logged
