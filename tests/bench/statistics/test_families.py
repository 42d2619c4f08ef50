"""Base families: what comes from one source falls together."""

import os
from pathlib import Path

import pytest
from tsad_bench.statistics import family


@pytest.mark.parametrize(
    ("series", "base"),
    [
        ("001-DISTORTED1sddb40", "sddb"),
        ("093-NOISE1sddb40", "sddb"),
        ("110-2sddb40", "sddb"),
        ("012-DISTORTEDECG2", "ECG"),
        ("121-ECG3", "ECG"),
        ("058-DISTORTEDapneaecg", "apneaecg"),
        ("163-apneaecg2", "apneaecg"),
        ("181-park3m", "park3m"),
        ("178-ltstdbs30791AI", "ltstdbs30791"),
        ("071-DISTORTEDltstdbs30791AS", "ltstdbs30791"),
        ("209-Fantasia", "Fantasia"),
    ],
)
def test_a_ucr_family_is_the_name_without_what_tells_its_members_apart(series: str, base: str) -> None:
    assert family("ucr", series) == family("ucr-part-1", series, "a twin") == base


def test_an_smd_family_is_a_group_of_machines() -> None:
    assert family("smd", "machine-3-11") == "machine-3"


def test_elsewhere_twins_are_a_family_and_others_alone() -> None:
    assert family("mine", "a", "x") == family("mine", "b", "x") == "x"
    assert family("mine", "machine-1-1") == "machine-1-1"
    assert family("ucr", "not as the archive names them") == "not as the archive names them"


@pytest.mark.skipif("TSAD_DATA" not in os.environ, reason="TSAD_DATA does not say where the UCR archive is")
def test_every_disguised_series_of_the_archive_is_in_the_family_of_its_original() -> None:
    from tsad_core.datasets.ucr import ucr

    names = {name[4:]: family("ucr", name) for name in ucr(home=Path(os.environ["TSAD_DATA"]))}
    disguised = {name: name.removeprefix("DISTORTED").removeprefix("NOISE") for name in names}
    assert all(names[name] == names[plain] for name, plain in disguised.items())
    assert len(set(names.values())) == 35
