"""The MLflow UI in a real browser: the detectors of a suite side by side, their robustness as curves.

Run by `just test-browser`, which brings Playwright; it drives the system's Chromium. The screenshots stay in
`TSAD_SCREENSHOTS`, if that is set.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tsad_bench import run_suite

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1200)]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DETECTORS = ["random", "moving-average", "k-means", "pca"]
SUITE = """
name = "robustness"
summary = "Controls under dirt."
headline = "vus-pr"
detectors = ["random", "moving-average", "k-means", "pca"]
metrics = ["vus-pr", "f1"]
[[datasets]]
name = "synthetic"
options = { count = 1, train_steps = 400, test_steps = 400 }
[[conditions]]
kind = "train-anomalies"
levels = [0, 10]
[[conditions]]
kind = "white-noise"
levels = [20, 0]
"""
PATIENCE = 400
"""Seconds for a page, or a server to start, on a busy machine; a quiet one takes a few."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the store of a small suite by `tsad-bench ui`; give the address that it prints."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    pytest.importorskip("playwright.sync_api", reason="Playwright is brought by `just test-browser`")
    folder = tmp_path_factory.mktemp("ui")
    (folder / "suite.toml").write_text(SUITE)
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run_suite("suite.toml", jobs=1, tracking_uri=uri)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tsad_bench", "ui", "--port", str(port), "--tracking-uri", uri]
    with (folder / "ui.log").open("w") as log:
        # a session of its own: MLflow starts further processes, which are to end with it
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True)
        try:
            wait_for(f"http://127.0.0.1:{port}/health")
            yield next(word for word in (folder / "ui.log").read_text().split() if word.startswith("http"))
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(PATIENCE)


@pytest.fixture
def page(address: str) -> Iterator["Page"]:
    """Open a window large enough to draw every chart, with MLflow's assistant, which opens unasked, closed."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM)
        window = browser.new_page(viewport={"width": 1920, "height": 3200})
        window.set_default_timeout(PATIENCE * 1000)
        closed = {"mlflow.assistant.panelOpen_v1": "false", "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": "true"}
        for key, value in closed.items():
            window.add_init_script(f"localStorage.setItem('{key}', '{value}')")
        yield window
        browser.close()


def test_the_list_of_experiments_says_what_each_is_and_leads_to_the_detectors(address: str, page: "Page") -> None:
    page.goto(address.partition("#")[0] + "#/experiments")
    page.get_by_text("Controls under dirt.").wait_for()
    keep(page, "experiments")
    # MLflow opens on chat models: there a click would lead to a page of traces
    page.get_by_text("Model training", exact=True).first.click()
    page.get_by_role("link", name="robustness", exact=True).first.click()
    page.get_by_role("link", name=re.compile("^robustness-20")).first.wait_for()
    keep(page, "experiment")


def test_the_address_that_is_printed_shows_all_detectors_with_curves_under_every_condition(
    address: str, page: "Page"
) -> None:
    page.goto(address)
    for detector in DETECTORS:
        page.get_by_role("link", name=detector, exact=True).first.wait_for()
    for section in ("synthetic", "train-anomalies-percent", "white-noise-70-minus-dB", "robustness"):
        page.get_by_text(re.compile(f"^{section}")).first.wait_for()
    # a chart of lines for each metric and condition, each with a line per detector
    page.wait_for_function(f"document.querySelectorAll('.scatterlayer .trace .js-line').length >= {4 * len(DETECTORS)}")
    keep(page, "charts")


def test_detectors_that_are_ticked_are_compared_side_by_side(address: str, page: "Page") -> None:
    page.goto(address)
    page.get_by_role("link", name="pca", exact=True).first.wait_for()
    page.get_by_role("checkbox").first.click()
    page.get_by_role("button", name="Compare", exact=True).click()
    page.get_by_text(re.compile(r"Comparing \d+ Runs")).first.wait_for()
    for detector in DETECTORS:
        page.get_by_text(detector, exact=True).first.wait_for()
    keep(page, "compare")


def keep(page: "Page", name: str) -> None:
    """Keep a screenshot for a person to look at."""
    if folder := os.environ.get("TSAD_SCREENSHOTS"):
        page.wait_for_timeout(3000)
        page.screenshot(path=Path(folder) / f"{name}.png")


def wait_for(url: str) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - the server was started here
        except OSError:
            time.sleep(0.5)
        else:
            return
    pytest.fail(f"{url} does not answer")
