"""What the tests of the baselines share: tiny models."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """On a busy machine, threads that wait for each other cost more than they save."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
