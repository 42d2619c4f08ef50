"""How detectors look: always the same, never two alike, controls grey."""

import itertools

from tsad_bench.report.colours import CONTROLS, KNOWN, styles


def looks(made):
    return [(style.colour, style.dash, style.marker) for style in made.values()]


def test_a_known_detector_has_its_colour_in_any_company() -> None:
    alone = {name: styles([name])[name] for name in KNOWN}
    together = styles([*KNOWN, "a", "zzz", *CONTROLS], controls=CONTROLS)
    assert {name: together[name] for name in KNOWN} == alone
    assert {style.colour for style in alone.values()} == set(KNOWN.values())
    assert len(set(KNOWN.values())) == len(KNOWN)


def test_a_control_has_its_grey_and_dash_in_any_company() -> None:
    alone = {name: styles([name], controls=[name])[name] for name in CONTROLS}
    assert styles(CONTROLS, controls=CONTROLS) == alone
    for style in alone.values():
        assert style.control
        assert len({style.colour[i : i + 2] for i in (1, 3, 5)}) == 1
        assert style.dash != "-"


def test_no_two_look_alike_and_none_by_colour_alone() -> None:
    others = [f"new-{number}" for number in range(8)]
    variants = ["mma:paper-asd", "mma-window-64", "pca-window-16", "pca-window-64"]
    made = styles([*KNOWN, *others, *variants, *CONTROLS], controls=[*CONTROLS, "pca-window-16", "pca-window-64"])
    for one, other in itertools.combinations(looks(made), 2):
        assert one != other
        if one[0] == other[0]:
            assert one[1:] != other[1:]


def test_the_order_in_which_detectors_come_changes_nothing() -> None:
    names = ["b", "a", "mma", "pca"]
    assert styles(names, controls=["pca"]) == styles(names[::-1], controls=["pca"])


def test_options_and_presets_keep_a_detectors_colour_and_a_longer_name_does_not_take_it() -> None:
    made = styles(["mma", "mma:paper-asd", "mmax", "mma-window-64"])
    assert made["mma"].colour == made["mma:paper-asd"].colour == made["mma-window-64"].colour
    assert made["mmax"].colour != made["mma"].colour
    assert styles([]) == {}
