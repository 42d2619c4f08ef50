"""Conditions as text: parsed and written back, and refused with one clear line."""

import doctest

import pytest
from tsad_core.corruption import KINDS, Condition, condition, corrupted, segments
from tsad_core.errors import OptionError

SPELLED = [
    Condition(name, level, parts)
    for name, kind in KINDS.items()
    for parts in kind.parts
    for level in {kind.lowest, kind.highest}
]


@pytest.mark.parametrize("condition", SPELLED, ids=str)
def test_every_condition_survives_its_text_form(condition: Condition) -> None:
    assert Condition.parse(str(condition)) == condition


@pytest.mark.parametrize(
    "text",
    [
        "clean",
        "train-anomalies@0",
        "train-anomalies@5",
        "train-anomalies@30",
        "white-noise@20",
        "white-noise@-20",
        "white-noise@0",
        "white-noise:train@20",
        "white-noise:both@20",
        "permuted-channels:test@100",
    ],
)
def test_a_canonical_text_comes_back_as_it_was(text: str) -> None:
    assert str(Condition.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("white-noise:test@20", "white-noise@20"),
        ("permuted-channels:both@50", "permuted-channels@50"),
        (" clean ", "clean"),
        ("clean@0", "clean"),
        ("missing-values@05", "missing-values@5"),
    ],
)
def test_default_parts_are_not_spelled(text: str, canonical: str) -> None:
    assert str(Condition.parse(text)) == canonical
    assert Condition.parse(text) == Condition.parse(canonical)


def test_a_condition_says_its_unit_and_what_it_touches() -> None:
    assert Condition() == Condition("clean", 0)
    assert Condition().touches == frozenset()
    condition = Condition("train-anomalies", 5)
    assert (condition.unit, condition.touches, condition.name) == ("percent", {"train"}, "train-anomalies")
    assert hash(condition) == hash(Condition.parse("train-anomalies@5"))
    assert Condition("white-noise", 20).touches == {"test"}
    assert Condition("white-noise", 20, "both").touches == {"train", "test"}
    assert Condition("white-noise", 20, "both").name == "white-noise:both"
    assert Condition("real-anomalies", 0).touches == {"train", "test"}


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("train-anomalie@5", "did you mean 'train-anomalies'"),
        ("white-noises:test@5", "did you mean 'white-noise'"),
        ("", "there are: clean, train-anomalies"),
        ("train-anomalies@31", "a whole number, 0 to 30"),
        ("train-anomalies@-1", "a whole number"),
        ("train-anomalies@5.0", "a whole number"),
        ("train-anomalies@", "a whole number"),
        ("train-anomalies@--5", "a whole number"),
        ("train-anomalies@٥", "a whole number"),
        ("white-noise", "a whole number"),
        ("white-noise@61", "a whole number, -20 to 60"),
        ("clean@5", "0 to 0"),
        ("train-anomalies:test@5", "parts = 'test'; it takes train"),
        ("resampling:train@5", "parts = 'train'; it takes test or both"),
        ("white-noise:tset@5", "parts = 'tset'; it takes test or train or both"),
        ("white-noise:@5", "name the parts after the colon"),
    ],
)
def test_a_condition_that_does_not_exist_is_refused_in_one_line(text: str, hint: str) -> None:
    with pytest.raises(OptionError, match=hint) as error:
        Condition.parse(text)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("level", [True, 5.0, "5"])
def test_a_level_of_the_wrong_type_is_refused(level: object) -> None:
    with pytest.raises(OptionError, match="level"):
        Condition("train-anomalies", level)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_documented_in_one_line_and_consistent(name: str) -> None:
    kind = KINDS[name]
    assert 10 < len(kind.summary) < 110
    assert "\n" not in kind.summary
    assert not kind.summary.endswith(".")
    assert kind.unit in {"", "percent", "dB", "count"}
    assert kind.neutral is None or kind.lowest <= kind.neutral <= kind.highest
    assert set(kind.parts) <= {"none", "train", "test", "both"}


@pytest.mark.parametrize("module", [condition, corrupted, segments])
def test_the_examples_run(module: object) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert result.attempted
    assert not result.failed
