"""Ctrl-C, held back until a step that must not be cut in half is over."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

HELD = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, with the name of the execution that it stopped."""

    def __init__(self, execution: str) -> None:
        super().__init__(execution)
        self.execution = execution


@contextmanager
def held_back() -> Iterator[None]:
    """Let the first interrupt wait until the block ends; a second one breaks in."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def hold(number: int, _: Any) -> None:
        if came:
            raise KeyboardInterrupt
        came.append(number)

    before = {number: signal.signal(number, hold) for number in HELD}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])
