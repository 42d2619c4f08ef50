"""Conditions: what the robustness suite does to a series before a detector sees it."""

from tsad_core.corruption.condition import Condition
from tsad_core.corruption.corrupted import Corrupted, corrupt
from tsad_core.corruption.kind import Kind
from tsad_core.corruption.kinds import KINDS, kind_of

__all__ = ["KINDS", "Condition", "Corrupted", "Kind", "corrupt", "kind_of"]
