"""The small catalogue that comes with the package, and how it is found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from expert_pool import packaged
from expert_pool.region.catalogue import catalogue, rows
from solver.errors import Fault


def test_catalogue_has_the_new_occupations_of_the_policies() -> None:
    """They are engineering specialties that came with the newest version."""
    known = catalogue()
    fresh = {known.specialty_name[s] for s in known.fresh.nonzero()[0].tolist()}
    assert fresh == {"物联网", "人工智能", "网络空间安全", "快递工程"}
    series = {known.series_code[s] for s in known.specialty_series[known.fresh].tolist()}
    assert series == {"08"}


def test_catalogue_is_of_a_useful_size() -> None:
    """Series, specialties and sub-specialties enough for committees of every kind."""
    known = catalogue()
    assert len(known.series_code) >= 8
    assert len(known.specialty_code) >= 40
    assert len(known.code) >= 150
    assert np.bincount(known.specialty).min() >= 3


def test_every_mapping_leads_from_the_old_version_to_the_new() -> None:
    """Both ends of a mapping are in the catalogue."""
    codes = {f"{row['version']}/{row['code']}" for row in rows("specialties")}
    for row in rows("specialty_mappings"):
        assert {row["old"], row["new"]} <= codes
        assert row["old"].startswith("2019/")
        assert row["new"].startswith("2024/")


def test_data_of_a_wheel_comes_before_that_of_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a wheel the data lies inside the package."""
    package = tmp_path / "expert_pool"
    for folder in (package / "fixtures", tmp_path / "fixtures"):
        folder.mkdir(parents=True)
        (folder / "one.csv").touch()
    (tmp_path / "fixtures" / "two.csv").touch()
    monkeypatch.setattr(packaged, "_HERE", package)
    assert packaged.fixture("one.csv") == package / "fixtures" / "one.csv"
    assert packaged.fixture("two.csv") == tmp_path / "fixtures" / "two.csv"


def test_missing_data_is_said() -> None:
    """A broken installation is named as such."""
    with pytest.raises(Fault, match=r"packaged\.missing at catalogue/nothing\.csv"):
        packaged.fixture("catalogue", "nothing.csv")
