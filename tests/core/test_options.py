"""Options of functions and of the command line."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import pytest
from annotated_types import Gt
from tsad_core import OptionError, detector
from tsad_core.options import bind, parse_assignments


def scale(*, values: list[float], factor: Annotated[float, Gt(0)] = 1.0, how: Literal["up", "down"] = "up") -> float:
    return sum(values) * factor if how == "up" else sum(values) / factor


def test_bound_options_are_set_and_the_rest_is_left_to_the_caller() -> None:
    assert bind(scale, {"factor": 2.0}, owner="metric scale", provided=["values"])(values=[1.0, 2.0]) == 6.0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"facto": 1.0}, "metric scale has no option 'facto'; did you mean 'factor'?"),
        ({"values": 1}, "has no option 'values'"),
        ({"factor": -1.0}, "greater than 0"),
        ({"factor": "2"}, "factor = '2'"),
        ({"factor": True}, "factor = True"),
        ({"how": "sideways"}, "'up' or 'down'"),
    ],
)
def test_a_wrong_option_is_refused_in_one_line(options: dict, words: str) -> None:
    with pytest.raises(OptionError, match=r"^metric scale") as caught:
        bind(scale, options, owner="metric scale", provided=["values"])
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_assignments_are_read_as_toml_and_else_as_text() -> None:
    given = ["mma.window=256", "mma.rate=0.5", "csv.path=my.csv", 'a.b="12"', "a.c=true", "a.d=x=y", "a.e=[1]"]
    assert parse_assignments(given) == {
        "mma": {"window": 256, "rate": 0.5},
        "csv": {"path": "my.csv"},
        "a": {"b": "12", "c": True, "d": "x=y", "e": "[1]"},
    }


@pytest.mark.parametrize("given", ["window=3", "mma.window", "=3", "mma.=3", ".window=3"])
def test_an_assignment_without_owner_name_or_value_is_refused(given: str) -> None:
    with pytest.raises(OptionError, match=r"NAME\.OPTION=VALUE"):
        parse_assignments([given])


def test_help_tells_every_option_and_preset() -> None:
    @detector
    class Told:
        """One line.

        More.
        """

        presets: ClassVar[Mapping[str, Mapping[str, int]]] = {"small": {"size": 1}, "large": {"size": 9}}
        """Not an option."""
        size: int = 3
        """How large it is,
        in steps."""
        name: str = "a"

    wanted = "One line.\n\nMore.\n\nOptions:\n\n    size = 3: How large it is, in steps.\n"
    assert Told.__doc__ == wanted + "\nPresets, as in Told(**Told.presets[...]): small, large\n"


def test_a_number_where_text_is_wanted_is_told_to_be_quoted() -> None:
    def named(*, name: str) -> str:
        return name

    ((_, given),) = parse_assignments(["metric.name=5"]).items()
    with pytest.raises(OptionError, match='name = 5: input should be a valid string, as "5" in quotes'):
        bind(named, given, owner="metric named")
    ((_, quoted),) = parse_assignments(['metric.name="5"']).items()
    assert bind(named, quoted, owner="metric named")() == "5"
