"""The import sheets of the made region."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from expert_pool.imports.sheets import SHEETS, Kind
from expert_pool.region import TODAY, RegionFiles, generate
from expert_pool.region.names import MARK
from expert_pool.words import entries
from solver.errors import Fault
from solver.progress import Progress

Rows = dict[str, list[dict[str, str]]]
LATEST = date(2026, 3, 31).isoformat()
MADE = [name for name in SHEETS if name not in ("review_results", "complaints")]
"""What came of a meeting is not made: a region stands before its season."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> RegionFiles:
    return generate(tmp_path_factory.mktemp("region"), experts=6000, committees=4, seed=5)


@pytest.fixture(scope="module")
def rows(made: RegionFiles) -> Rows:
    return {name: list(_read(made.folder / f"{name}.csv")) for name in MADE}


def _read(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    """And another seed gives others."""
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        generate(tmp_path / name, experts=400, seed=seed)
    assert _bytes(tmp_path / "a") == _bytes(tmp_path / "b")
    assert _bytes(tmp_path / "a") != _bytes(tmp_path / "c")


def test_every_sheet_is_there_with_the_rows_reported(made: RegionFiles, rows: Rows) -> None:
    """The files are the sheets of the importer that are made."""
    assert sorted(path.stem for path in made.folder.iterdir()) == sorted(MADE)
    assert {name: len(found) for name, found in rows.items()} == dict(made.rows)
    assert all(rows.values())
    assert [c.committee for c in made.committees] == ["C001", "C002", "C003", "C004"]


@pytest.mark.parametrize("sheet", MADE)
def test_every_reference_resolves(rows: Rows, sheet: str) -> None:
    """Whatever a row names stands in the sheet it belongs to."""
    specialties = {row["code"] for row in rows["specialties"]}
    specialties |= {f"{row['version']}/{row['code']}" for row in rows["specialties"]}
    for column in SHEETS[sheet].columns:
        if not column.to:
            continue
        codes = specialties if column.to == "specialties" else {row["code"] for row in rows[column.to]}
        said = {row.get(column.name, "") for row in rows[sheet]}
        assert said - {""} <= codes, column.name
        assert "" not in said or not column.required, column.name


@pytest.mark.parametrize("sheet", MADE)
def test_no_row_is_told_twice(rows: Rows, sheet: str) -> None:
    """The importer knows each row by its key."""
    keys = Counter(tuple(row[name] for name in SHEETS[sheet].key) for row in rows[sheet])
    assert keys.most_common(1)[0][1] == 1


@pytest.mark.parametrize("sheet", MADE)
def test_no_record_lies_in_the_future(rows: Rows, sheet: str) -> None:
    """Neither the day it holds nor the moment it was recorded, nor a birth."""
    past = [column for column in SHEETS[sheet].columns if column.past or column.name == "holds_on"]
    for column in past:
        if column.kind in {Kind.DATE, Kind.MOMENT}:
            assert max((row.get(column.name, "") for row in rows[sheet]), default="") <= f"{LATEST}T"


@pytest.mark.parametrize("sheet", MADE)
def test_nothing_ends_before_it_begins(rows: Rows, sheet: str) -> None:
    """As the importer demands."""
    for row in rows[sheet]:
        begins = row["since"] if sheet in {"relations", "specialties"} else row.get("holds_on", "")
        if begins and row.get("until"):
            assert row["until"] >= begins, row


def test_all_that_could_be_taken_for_real_is_marked(rows: Rows) -> None:
    """People, employers, organisers, pools and committees."""
    for sheet in ("experts", "applicants", "employer_names", "organisers", "pools", "committees"):
        assert all(row["name"].endswith(MARK) for row in rows[sheet]), sheet
    official = Counter(row["name"] for row in rows["employer_names"] if row["kind"] == "official")
    assert official.most_common(1)[0][1] == 1


def test_about_a_quarter_of_the_experts_work_for_private_employers(rows: Rows) -> None:
    """Counted over main employments of today, by legal person."""
    parent = {row["employer"]: row["other"] for row in rows["employer_links"]}
    sector = {
        row["employer"]: row["sector"]
        for row in sorted(rows["employer_sectors"], key=lambda r: r["holds_on"])
    }
    main = [row["employer"] for row in rows["employments"] if row["main"] == "true" and not row["until"]]
    assert len(main) == 6000
    counts: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for employer in main:
        while employer in parent:
            employer = parent[employer]
        counts[sector[employer]] += 1
        sizes[employer] += 1
    assert 0.22 <= counts["private"] / 6000 <= 0.28
    assert {"central", "provincial", "municipal", "grassroots", "state_owned", "foreign", "social"} <= set(
        counts
    )
    largest = [size for _, size in sizes.most_common(len(sizes) // 20)]
    assert sum(largest) > 6000 * 0.3, "a few employers have a large part of the experts"


def test_the_new_occupations_have_few_experts(rows: Rows) -> None:
    """2 to 8 in 10,000 hold each sub-specialty on the average of its specialty."""
    held = Counter(row["specialty"].removeprefix("2024/") for row in rows["skills"])
    for specialty in ("0821", "0822", "0823", "0824"):
        holders = [n for code, n in held.items() if code.startswith(specialty)]
        assert 0 < sum(holders) <= 4 * 8 * 6000 / 10_000


def test_employers_change(rows: Rows) -> None:
    """Some were renamed, merged or converted, and large ones have departments."""
    kinds = Counter(row["kind"] for row in rows["employer_links"])
    assert kinds["merged_into"] > 0
    assert kinds["part_of"] > 20
    assert any(row["until"] for row in rows["employer_names"])
    sectors = Counter(row["employer"] for row in rows["employer_sectors"])
    assert sectors.most_common(1)[0][1] == 2
    assert any(row["main"] == "false" for row in rows["employments"])


def test_relations_are_of_every_kind_and_have_hubs(rows: Rows) -> None:
    """Some with unknown dates; a few experts have very many."""
    kinds = Counter(row["kind"] for row in rows["relations"])
    wanted = {"relative", "co_author", "advisor", "recommender", "objection", "same_case", "stake"}
    assert wanted <= set(kinds)
    assert any(not row["since"] and not row["until"] for row in rows["relations"])
    degree: Counter[str] = Counter()
    for row in rows["relations"]:
        if row["other_expert"]:
            degree[row["expert"]] += 1
            degree[row["other_expert"]] += 1
    assert 5 <= sum(degree.values()) / 6000 <= 12
    assert degree.most_common(1)[0][1] > 80


def test_the_agenda_has_a_new_occupation_and_a_rural_block(rows: Rows) -> None:
    """200 cases in 4 to 6 specialties."""
    cases = [row for row in rows["cases"] if row["agenda"] == "A001-2026"]
    assert len(cases) == 200
    assert 4 <= len({row["specialty"][:4] for row in cases}) <= 6
    assert 2 <= sum(row["specialty"][:4] in {"0821", "0822", "0823", "0824"} for row in cases) <= 12
    assert 15 <= sum(row["directed"] == "true" for row in cases) <= 40
    assert sum(bool(row["expert"]) for row in rows["applicants"]) >= 4


def test_committees_sat_in_the_three_seasons_before(rows: Rows) -> None:
    """Their members were in the pool on the day."""
    admitted: dict[str, list[tuple[str, str]]] = {}
    for row in rows["memberships"]:
        if row["step"] == "admitted":
            admitted.setdefault(row["expert"], []).append((row["holds_on"], row["until"]))
    own = [row for row in rows["services"] if row["committee"] == "C001"]
    assert {row["season"] for row in own} == {"2023", "2024", "2025"}
    for row in own:
        assert any(since <= row["holds_on"] <= until for since, until in admitted[row["expert"]])
    for season in ("2023", "2024", "2025"):
        assert sum(row["role"] == "chair" for row in own if row["season"] == season) == 1


def test_the_first_committee_meets_on_a_fixed_day(rows: Rows, made: RegionFiles) -> None:
    """48 days after the day the records end."""
    assert date(2026, 3, 1) == TODAY
    assert made.committees[0].on == date(2026, 4, 18)
    assert rows["meetings"][0]["on"] == "2026-04-18"


def test_progress_is_told_in_words(tmp_path: Path) -> None:
    """Every phase has its words in every language."""
    told: list[Progress] = []
    generate(tmp_path, experts=300, seed=1, cases=20, report=told.append)
    phases = {event.phase for event in told}
    assert "region_write" in phases
    for lang in ("zh", "en"):
        assert {f"progress.{phase}" for phase in phases} <= set(entries(lang))


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"experts": 10}, "region.too_few"),
        ({"committees": 0}, "region.too_few"),
        ({"cases": 1}, "region.too_few"),
        ({"seed": -1}, "region.seed_negative"),
    ],
)
def test_bad_numbers_are_refused(tmp_path: Path, wrong: dict[str, int], code: str) -> None:
    """Nothing is written then."""
    with pytest.raises(Fault) as refused:
        generate(tmp_path / "out", **({"experts": 300, "seed": 1} | wrong))  # type: ignore[arg-type]
    assert refused.value.code == code
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_way_is_said(tmp_path: Path) -> None:
    """A folder is needed, and a file stands there."""
    (tmp_path / "out").write_text("")
    with pytest.raises(Fault, match=r"region\.not_writable"):
        generate(tmp_path / "out", experts=300, seed=1, cases=20)
