# Tasks of the workspace; `uv run just` lists them.

default:
    @just --list --unsorted

# once after a clone: keeps index addresses out of the committed uv.lock
setup:
    git config filter.uvlock.clean 'python3 scripts/strip_lock.py'
    uv sync

# what CI checks before the tests
check:
    uv run ruff check
    uv run ruff format --check
    uv run mypy
    uv run lint-imports

# the default suite, under 12 minutes on 2 cores
test *args:
    uv run pytest {{args}}

# builds wheels, syncs from the stripped lock, reads whole archives
test-slow *args:
    uv run pytest -m slow {{args}}

# needs a CUDA device
test-gpu *args:
    uv run pytest -m gpu {{args}}

# drives the MLflow UI in Chromium, which must be installed; Playwright is brought for this run alone
test-browser *args:
    uv run --with playwright pytest -m browser {{args}} tests/bench/test_browser.py

# compares metrics with other packages, run live in an environment of their own: they ask for old numbas and NumPys
test-peers *args:
    uv venv --quiet --allow-existing .venv/peers
    uv pip install --quiet --python .venv/peers --prerelease allow aeon pytest pytest-timeout hypothesis statsmodels tqdm matplotlib -e packages/tsad-core
    uv pip install --quiet --python .venv/peers --no-deps vus TSB-AD
    .venv/peers/bin/python -m pytest {{args}} tests/core/metrics/test_peers.py

# prints seconds and ratios; see benchmarks/
bench:
    uv run python benchmarks/metrics.py
    uv run python benchmarks/overhead.py
