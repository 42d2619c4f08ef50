"""A condition: a kind of corruption, its level, the parts it strikes; and its text form."""

from dataclasses import dataclass
from typing import Self

from tsad_core.corruption.kind import PARTS
from tsad_core.corruption.kinds import KINDS
from tsad_core.errors import OptionError, did_you_mean


@dataclass(frozen=True)
class Condition:
    """A kind of corruption, its level and the parts it strikes.

    As text ``clean``, ``train-anomalies@5``, ``white-noise@20``; parts other than the kind's
    default are spelled: ``white-noise:both@20``.
    """

    kind: str = "clean"
    level: int = 0
    """In the kind's unit."""
    parts: str = ""
    """``train``, ``test`` or ``both``, as far as the kind allows; empty for the kind's default."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise OptionError(f"no condition named {self.kind!r}; {did_you_mean(self.kind, KINDS)}")
        kind = KINDS[self.kind]
        object.__setattr__(self, "parts", self.parts or kind.parts[0])
        if self.parts not in kind.parts:
            raise OptionError(f"condition {self.kind}: parts = {self.parts!r}; it takes {' or '.join(kind.parts)}")
        if type(self.level) is not int or not kind.lowest <= self.level <= kind.highest:
            raise OptionError(
                f"condition {self.kind}: level = {self.level!r}; "
                f"it must be a whole number, {kind.lowest} to {kind.highest}"
            )

    def __str__(self) -> str:
        return f"{self.name}@{self.level}" if self.unit else self.name

    @property
    def name(self) -> str:
        """The text form without its level: what the points of a curve over levels have in common."""
        return self.kind if self.parts == KINDS[self.kind].parts[0] else f"{self.kind}:{self.parts}"

    @property
    def unit(self) -> str:
        """What the level counts."""
        return KINDS[self.kind].unit

    @property
    def touches(self) -> frozenset[str]:
        """Which parts change: ``train``, ``test``."""
        return PARTS[self.parts]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text form back.

        >>> str(Condition.parse("white-noise:test@-5"))
        'white-noise@-5'
        """
        name, at, level = text.strip().partition("@")
        kind, colon, parts = name.partition(":")
        if colon and not parts:
            raise OptionError(f"condition {text!r}: name the parts after the colon, as in white-noise:both@20")
        if not at and (kind not in KINDS or not KINDS[kind].unit):
            return cls(kind, parts=parts)
        digits = level.removeprefix("-")
        if not (digits.isascii() and digits.isdigit()):
            raise OptionError(f"condition {text!r}: the level must be a whole number, as in train-anomalies@5")
        return cls(kind, int(level), parts)
