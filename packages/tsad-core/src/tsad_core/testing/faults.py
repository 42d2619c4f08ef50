"""Run checks, and tell of all the promises that are broken, not only of the first."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from tsad_core.errors import ContractError, Skip, TsadError

Subject = TypeVar("Subject")


class Faults:
    """What was found wrong with one detector, data set or metric, by the name of the check."""

    def __init__(self, owner: str, *, excused: type[TsadError] = Skip) -> None:
        self.owner = owner
        self.excused: dict[str, str] = {}
        """Reasons of what is no fault, by the name of the check."""
        self._excused = excused
        self._found: dict[str, str] = {}

    def run(self, checks: Mapping[str, Callable[[Subject], Iterable[str]]], subject: Subject) -> bool:
        """Run checks, which yield what is wrong, and return whether all of them passed.

        An excused error that a check lets pass is noted, any other is wrong. What several find is told once.
        """
        before = len(self._found)
        for name, check in checks.items():
            try:
                for fault in check(subject):
                    self._found.setdefault(fault, name)
            except self._excused as reason:
                self.excused[name] = str(reason)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - this is where a plugin's own code is called
                self._found.setdefault(_reason(error), name)
        return len(self._found) == before

    def tell(self) -> None:
        """Raise `ContractError` with a line for each fault, if there is one."""
        if self._found:
            raise ContractError("\n".join(f"{self.owner}: {name}: {fault}" for fault, name in self._found.items()))


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, ContractError) else f"raises {type(error).__name__}: {text}"
