"""Suites: read from TOML, narrowed, with errors that name file, table and key."""

import re
from pathlib import Path

import pytest
from tsad_bench.suite import Choice, Levels, SuiteError, narrow, parse_suite, read_suite, shipped_suites, with_options
from tsad_core import find_plugins

WHOLE = """
name = "mine"
detectors = ["random", { name = "k-means", grid = { window = [8, 16], clusters = [2, 3] } }]
datasets = [{ name = "synthetic", options = { count = 1 } }]
metrics = ["vus-pr"]
"""


@pytest.mark.parametrize("name", ["smoke", "effectiveness", "explainability", "robustness"])
def test_the_suites_that_every_page_names_are_shipped(name: str) -> None:
    assert name in shipped_suites()


@pytest.mark.parametrize("name", shipped_suites())
def test_a_shipped_suite_has_its_name_a_summary_and_metrics_and_conditions_that_exist(name: str) -> None:
    suite = read_suite(name)
    assert suite.name == name
    assert suite.summary
    assert [levels.expand() for levels in suite.conditions]
    known = {*find_plugins().entries("metrics")}
    assert suite.metrics == "all" or {choice.name for choice in suite.metrics} <= known


def test_smoke_leaves_out_the_control_that_starts_slowly() -> None:
    assert "matrix-profile" not in {choice.name for choice in read_suite("smoke").detectors}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('name = "x"\nseeds = "0"', ["key 'seeds'"]),
        ('name = "x"\n[limits]\nseconds = "a"', ["table [limits]", "key 'seconds'", "'a'"]),
        ('name = "x"\n[limits]\nseconds = 0', ["table [limits]", "key 'seconds'", "greater than 0"]),
        ('name = "x"\n[limit]\nseconds = 1', ["key 'limit'"]),
        ('name = "x"\n[[datasets]]\noptions = { count = 2 }', ["table [datasets.0]", "key 'name'"]),
        ('name = "x"\n[[datasets]]\nname = "s"\noptions = { n = [1] }', ["table [datasets.0", "options"]),
        ('name = "Two Words"', ["key 'name'", "'Two Words'"]),
        ('name = "x"\nseeds = []', ["key 'seeds'"]),
        ("name = ", ["not TOML"]),
        ("", ["key 'name'"]),
    ],
)
def test_an_error_names_file_table_and_key(tmp_path: Path, text: str, words: list[str]) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(SuiteError) as caught:
        read_suite(str(file))
    message = str(caught.value)
    assert "bad.toml" in message
    assert "\n" not in message
    assert [word for word in words if word not in message] == []


def test_an_unknown_suite_names_those_that_exist() -> None:
    with pytest.raises(SuiteError, match="smoke"):
        read_suite("smok")


def test_a_missing_file_is_one_clear_line() -> None:
    with pytest.raises(SuiteError, match=r"cannot read the suite nowhere\.toml"):
        read_suite("nowhere.toml")


def test_lists_under_grid_are_crossed() -> None:
    suite = parse_suite(WHOLE, source="here")
    expanded = suite.detectors[1].expand()
    assert [tuple(choice.options.values()) for choice in expanded] == [(8, 2), (8, 3), (16, 2), (16, 3)]


def test_narrowing_keeps_options_and_adds_what_the_suite_does_not_hold() -> None:
    suite = narrow(parse_suite(WHOLE, source="here"), detectors=["k-means", "pca"], seeds=[3])
    assert [choice.name for choice in suite.detectors] == ["k-means", "pca"]
    assert suite.detectors[0].grid
    assert suite.seeds == [3]
    assert suite.metrics == [Choice(name="vus-pr")]


def test_a_detector_may_name_a_preset_in_a_suite_and_on_the_command_line() -> None:
    suite = parse_suite('name = "mine"\ndetectors = ["mma", "mma:paper-ucr"]', source="here")
    assert [(choice.name, choice.preset) for choice in suite.detectors] == [("mma", ""), ("mma", "paper-ucr")]
    assert [choice.title for choice in narrow(suite, detectors=["mma:paper-ucr"]).detectors] == ["mma:paper-ucr"]
    assert [choice.title for choice in narrow(suite, detectors=["mma"]).detectors] == ["mma", "mma:paper-ucr"]
    assert narrow(suite, detectors=["slmr:paper"]).detectors == [Choice(name="slmr", preset="paper")]


def test_only_detectors_have_presets() -> None:
    with pytest.raises(SuiteError, match="only detectors have presets"):
        parse_suite('name = "mine"\n[[datasets]]\nname = "smd"\npreset = "paper"', source="here")


def test_narrowing_to_series_keeps_the_data_sets_options() -> None:
    suite = narrow(parse_suite(WHOLE, source="here"), datasets=["synthetic:sines-0", "ucr:a", "ucr:b", "smd"])
    assert [(c.name, c.series, dict(c.options)) for c in suite.datasets] == [
        ("synthetic", ["sines-0"], {"count": 1}),
        ("ucr", ["a", "b"], {}),
        ("smd", None, {}),
    ]


def test_set_reaches_detectors_and_data_sets_and_refuses_strangers() -> None:
    suite = parse_suite(WHOLE, source="here")
    changed = with_options(suite, {"random": {"seed": 1}, "synthetic": {"count": 5}})
    assert changed.detectors[0].options == {"seed": 1}
    assert changed.datasets[0].options == {"count": 5}
    with pytest.raises(SuiteError, match="mma"):
        with_options(suite, {"mma": {"window": 1}})


def test_a_value_that_is_set_is_not_crossed() -> None:
    changed = with_options(parse_suite(WHOLE, source="here"), {"k-means": {"window": 64}})
    assert [choice.options for choice in changed.detectors[1].expand()] == [
        {"window": 64, "clusters": 2},
        {"window": 64, "clusters": 3},
    ]


def test_narrowing_the_metrics_takes_the_headline_along() -> None:
    suite = parse_suite(WHOLE, source="here")
    assert narrow(suite, metrics=["f1", "auc-pr"]).headline == "f1"
    assert narrow(suite, metrics=["f1", "vus-pr"]).headline == "vus-pr"


def test_the_documented_suite_is_one() -> None:
    page = (Path(__file__).parents[2] / "docs" / "suites.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", page, flags=re.DOTALL)
    suite = parse_suite(example, source="docs/suites.md")
    assert len(suite.detectors[1].expand()) == 4
    assert suite.conditions[0].levels == [0, 5, 10]
    assert suite.limits.seconds == 600


@pytest.mark.parametrize("kind", ["white-noise", "real-anomalies", "pink-noise:both"])
def test_a_condition_without_a_level_that_changes_nothing_must_say_its_levels(kind: str) -> None:
    with pytest.raises(SuiteError, match=f"condition {kind} needs levels"):
        Levels(kind=kind).expand()
    assert [str(condition) for condition in Levels(kind=kind, levels=[1, 2]).expand()] == [f"{kind}@1", f"{kind}@2"]


def test_a_condition_without_levels_changes_nothing_where_it_can() -> None:
    assert [str(condition) for condition in Levels(kind="resampling").expand()] == ["resampling@0"]
