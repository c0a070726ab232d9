"""A pool looked at over HTTP: its health, its raters, a report that leaves with a watermark, two schemes, recusals."""

from __future__ import annotations

import random
import re
import zipfile
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from io import BytesIO
from itertools import product
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select
from working_office import BEFORE, WAIT, Office, done, working

from expert_pool import ledger
from expert_pool.accounts.rights import Role
from expert_pool.registry import (
    Committee,
    Credit,
    Export,
    ExportFile,
    Form,
    LedgerEntry,
    Level,
    Meeting,
    Organiser,
    Outcome,
    Pool,
    Relation,
    RelationKind,
    RunRecord,
    Service,
)
from expert_pool.registry import Role as Seated

PARTS = ("health", "measurements", "reports", "scheme-comparisons", "recusal-failures")
SENT: dict[str, dict[str, Any]] = {
    "health": {},
    "measurements": {},
    "reports": {"purpose": "年度考核"},
    "scheme-comparisons": {"first": "own-default", "second": "sichuan-bid-grades"},
    "recusal-failures": {},
}
"""The least that each part is asked with."""
SEVERE = "E08"


@pytest.fixture
def office(http: Any) -> Iterator[Office]:
    """E04 was absent again and again; E05 sat over K2, whose applicant they advised, and nobody knew. P0 is a pool that no
    committee draws on, in PE nobody is, P9 is another organiser's."""
    tiny = http.tiny
    ids, common = tiny.ids["expert"], {"organiser_id": tiny.organiser_id}
    record = {**common, "recorded_at": BEFORE, "recorded_by": "office"}
    with time_machine.travel(BEFORE, tick=False):
        with http.store.session() as session:
            for month in (2, 4, 6):
                lost = {"event": "缺席", "points": -20, "holds_on": date(2026, month, 1)}
                session.add(Credit(expert_id=ids["E04"], **lost, **record))
            session.add(Meeting(code="M0", agenda_id=tiny.agenda_id, on=date(2026, 8, 20), place="长春"))
            session.add(
                Service(
                    expert_id=ids["E05"],
                    committee_id=tiny.committee_id,
                    season=2026,
                    panel="M0",
                    role=Seated.MEMBER,
                    outcome=Outcome.ATTENDED,
                    holds_on=date(2026, 8, 20),
                    **record,
                )
            )
            session.add(
                Relation(
                    expert_id=ids["E05"],
                    kind=RelationKind.ADVISOR,
                    applicant_id=tiny.ids["applicant"]["AP2"],
                    since=date(2015, 9, 1),
                    until=date(2018, 7, 1),
                    holds_on=date(2026, 8, 25),
                    source="举报",
                    **record,
                )
            )
            other = Organiser(code="FAR", name="他省", parent_id=None)
            session.add(other)
            session.flush()
            empty = Pool(code="PE", name="无人", **common)
            session.add_all([Pool(code="P0", name="空库", **common), empty])
            session.add(Pool(code="P9", name="他库", organiser_id=other.id))
            session.flush()
            kind = {"level": Level.SENIOR, "form": Form.SOCIAL, "series": "engineering"}
            session.add(Committee(code="CE", name="无人会", pool_id=empty.id, **kind, **common))
        yield working(http)


def manager(office: Office) -> Any:
    return office.sign_in("pool.zhou", Role.POOL_MANAGER, organiser_id=office.http.tiny.organiser_id)


def ask(client: Any, part: str, pool: str = "P1", **sent: Any) -> Any:
    return client.post(f"/api/v1/pools/{pool}/{part}", json={**SENT[part], **sent}, headers=WAIT)


def entries(office: Office) -> int:
    with office.store.reading() as session:
        return session.scalar(select(func.count(LedgerEntry.id))) or 0


def far(office: Office) -> int:
    with office.store.reading() as session:
        return session.scalars(select(Organiser.id).where(Organiser.code == "FAR")).one()


def scores(client: Any, *, criteria: int) -> None:
    """Scores of eleven raters on four cases, brought in as an archive of CSV files; one rater is severe."""
    lot, named = random.Random(5), [f"Q{n}" for n in range(criteria)]
    lines = ["case,rater,criterion,score,source,holds_on"]
    for n, case, criterion in product(range(1, 12), range(1, 5), named):
        rater = f"E{n:02}"
        given = lot.choice((2, 3, 3, 4)) + (case > 2) - 2 * (rater == SEVERE)
        lines.append(f"K{case},{rater},{criterion},{max(1, given)},score_sheet,2026-08-20")
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("rating_scales.csv", "code,name,low,high\nS5,五级,1,5\n")
        archive.writestr(
            "rating_criteria.csv", "\n".join(["code,name,scale", *(f"{q},指标,S5" for q in named)])
        )
        archive.writestr("ratings.csv", "\n".join(lines))
    file = {"file": ("scores.zip", content.getvalue(), "application/zip")}
    told = done(client.post("/api/v1/tables/imports", files=file, data={"organiser": "HR"}, headers=WAIT))
    assert told["ok"], told
    assert [sheet["new"] for sheet in told["sheets"]] == [1, criteria, 44 * criteria]


def opened(content: bytes) -> bytes:
    """What stands in a paper: the parts of an archive, or the bytes themselves."""
    if content[:2] != b"PK":
        return content
    with zipfile.ZipFile(BytesIO(content)) as archive:
        return b"".join(archive.read(name) for name in archive.namelist())


def test_the_health_of_a_pool_is_a_document_and_changes_nothing(office: Office) -> None:
    client, before = manager(office), entries(office)
    found = done(ask(client, "health"))
    assert (found["format"], found["pool"], found["members"]) == ("pool-health/1", "P1", 11)
    assert (found["as_of"], found["drawable"]) == ("2026-09-01", 11)
    assert not re.search(r"专家\d", str(found))  # nobody's name
    assert entries(office) == before


def test_a_pool_without_people_or_without_a_committee_says_so(office: Office) -> None:
    client = manager(office)
    assert done(ask(client, "health", "PE"))["members"] == 0
    assert done(ask(client, "measurements", "PE")) == {"measurement": None}
    assert done(ask(client, "recusal-failures", "PE"))["found"] == []
    assert done(ask(client, "scheme-comparisons", "PE"))["experts"] == 0
    written = done(ask(client, "reports", "PE"))
    assert (written["experts"], written["files"], written["serial"]) == (0, [], None)
    for part, code in (
        ("health", "health.no_committee"),
        ("reports", "appraisal.no_committee"),
        ("scheme-comparisons", "appraisal.no_committee"),
    ):
        answer = ask(client, part, "P0")
        assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_scores_that_were_imported_are_measured_and_few_of_them_flag_nobody(office: Office) -> None:
    client = manager(office)
    assert done(ask(client, "measurements")) == {"measurement": None}
    scores(client, criteria=2)
    few = done(ask(client, "measurements", replications=20))["measurement"]
    assert (few["format"], few["scores"], few["cases"], few["flags"]) == ("measurement/1", 88, 4, [])
    assert {rater["why"] for rater in few["raters"]} == {"measurement.few"}
    assert (few["replications"], few["stopped"]) == (0, False)


def test_a_severe_rater_is_flagged_with_figures_and_the_same_seed_says_the_same(office: Office) -> None:
    client = manager(office)
    scores(client, criteria=10)
    sent = {"replications": 20, "seed": 7}
    found = done(ask(client, "measurements", **sent))["measurement"]
    assert {flag["rater"] for flag in found["flags"]} == {SEVERE}
    (severe,) = [rater for rater in found["raters"] if rater["rater"] == SEVERE]
    assert severe["severity"] == max(rater["severity"] for rater in found["raters"])
    assert (found["replications"], found["comparable"]) == (20, "all")
    assert done(ask(client, "measurements", **sent))["measurement"] == found
    other = office.sign_in("far.li", Role.POOL_MANAGER, organiser_id=far(office))
    assert done(ask(other, "measurements", "P9")) == {"measurement": None}


HEADS = "case,rater,criterion,score,source,holds_on"


def brought(client: Any, *lines: str) -> dict[str, Any]:
    """What the import says of some scores on a scale of 1 to 5."""
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("rating_scales.csv", "code,name,low,high\nS5,五级,1,5\n")
        archive.writestr("rating_criteria.csv", "code,name,scale\nQ0,指标,S5\n")
        archive.writestr("ratings.csv", "\n".join([HEADS, *lines]))
    file = {"file": ("scores.zip", content.getvalue(), "application/zip")}
    return dict(
        done(client.post("/api/v1/tables/imports", files=file, data={"organiser": "HR"}, headers=WAIT))
    )


def test_bad_scores_are_named_row_by_row_and_nothing_is_kept(office: Office) -> None:
    """By unknown people, out of scale, from a ballot, of a day to come, twice."""
    client = manager(office)
    told = brought(
        client,
        "K1,E99,Q0,3,score_sheet,2026-08-20",
        "K1,E01,Q0,9,score_sheet,2026-08-20",
        "K1,E02,Q0,3,ballot,2026-08-20",
        "K1,E03,Q0,3,score_sheet,2030-08-20",
        "K1,E04,Q0,3,score_sheet,2026-08-20",
        "K1,E04,Q0,4,score_sheet,2026-08-20",
    )
    assert not told["ok"]
    assert [(one["row"], one["code"]) for one in told["errors"]] == [
        (2, "import.unknown"),
        (3, "ratings.row_out_of_scale"),
        (4, "import.choice"),
        (5, "import.future"),
        (7, "import.twice"),
    ]
    assert done(ask(client, "measurements")) == {"measurement": None}


@pytest.mark.parametrize(
    ("rows", "why", "comparable"),
    [
        ([("K1", "E01", 3)], "measurement.alone", "none"),
        ([(f"K{n}", f"E{n:02}", 3) for n in range(1, 5)], "measurement.alone", "none"),
        ([(f"K{c}", f"E{n:02}", 4) for c in range(1, 5) for n in range(1, 4)], "measurement.few", "all"),
    ],
    ids=["one case", "nobody connected", "all equal"],
)
def test_what_scores_cannot_tell_is_a_reason_and_no_figure(
    office: Office, rows: list[tuple[str, str, int]], why: str, comparable: str
) -> None:
    client = manager(office)
    assert brought(client, *(f"{c},{r},Q0,{s},score_sheet,2026-08-20" for c, r, s in rows))["ok"]
    found = done(ask(client, "measurements", replications=20))["measurement"]
    assert {rater["why"] for rater in found["raters"]} == {why}
    assert {rater["severity"] for rater in found["raters"]} == {None}
    assert (found["comparable"], found["flags"], found["thresholds"], found["criteria"]) == (
        comparable, [], [], {},
    )  # fmt: skip


def test_a_report_leaves_with_its_purpose_and_every_paper_is_marked(office: Office) -> None:
    client = manager(office)
    scores(client, criteria=2)
    with office.store.reading() as session:
        written_by_the_test = ledger.verify(session)
    answer = ask(client, "reports", against="sichuan-bid-grades", lang="en")
    written = done(answer)
    assert {name: n for name, n in written["counts"].items() if n} == {"keep": 9, "look": 1, "exit": 1}
    assert (written["experts"], written["flags"], written["failures"]) == (11, 0, 3)
    assert {"reevaluation.xlsx", "reevaluation.docx", "reevaluation.json"} <= set(written["files"])
    place = answer.headers["location"]
    papers = {name: client.get(f"{place}/files/{name}").content for name in written["files"]}
    for name, content in papers.items():
        inside = opened(content)
        assert (written["serial"].encode() in inside) != name.endswith(".json"), name
        assert not re.search(r"专家\d".encode(), inside), name  # codes only
    assert "年度考核".encode() in opened(papers["reevaluation.docx"])
    with office.store.reading() as session:
        (export,) = session.scalars(select(Export)).all()
        files = session.scalars(select(ExportFile)).all()
        actions = session.scalars(select(LedgerEntry.action).order_by(LedgerEntry.id)).all()
        assert ledger.verify(session) == written_by_the_test
    assert (export.serial, export.actor) == (written["serial"], "pool.zhou")
    assert {file.name: file.sha256 for file in files} == {n: sha256(c).hexdigest() for n, c in papers.items()}
    assert actions[-2:] == ["export.begun", "export.finished"]


def test_two_schemes_are_compared_expert_by_expert(office: Office) -> None:
    client, before = manager(office), entries(office)
    found = done(ask(client, "scheme-comparisons"))
    assert (found["format"], found["experts"], found["moved"]) == ("scheme-comparison/1", 11, 1)
    (move,) = found["moves"]
    assert (move["expert"], move["first"]["measure"], move["second"]["measure"]) == ("E04", "exit", "ban")
    assert sum(map(sum, found["matrix"])) == 11
    assert {group["first_share"] for group in found["groups"]} == {None}  # all too small to tell a share of
    assert entries(office) == before


def test_failures_to_recuse_are_told_with_what_was_known_and_recorded_by_nobody(office: Office) -> None:
    client, before = manager(office), entries(office)
    found = done(ask(client, "recusal-failures"))
    assert (found["format"], found["since"], found["sittings"]) == ("recusal-failures/1", "2025-09-01", 1)
    (late,) = [one for one in found["found"] if one["known"] == "later"]
    assert (late["expert"], late["kind"], late["against"]) == (
        "E05",
        "advisor",
        {"what": "case", "code": "K2"},
    )
    assert late["proposal"] == {"expert": "E05", "event": "not_recused", "holds_on": "2026-08-20"}
    assert done(ask(client, "recusal-failures", until="2026-08-19"))["found"] == []
    assert entries(office) == before


@pytest.mark.parametrize("part", PARTS)
def test_another_organiser_and_whoever_may_not_look_are_refused(office: Office, part: str) -> None:
    other = office.sign_in("far.li", Role.POOL_MANAGER, organiser_id=far(office))
    for pool in ("P1", "P404"):
        answer = ask(other, part, pool)
        assert (answer.status_code, answer.json()["code"]) == (404, "appraisal.pool_unknown")
    for role in (Role.COMMITTEE_OFFICE, Role.ADMINISTRATOR, Role.DRAW_SUPERVISOR):
        answer = ask(office.sign_in(f"one.{role}", role), part)
        assert (answer.status_code, answer.json()["code"]) == (403, "access.denied")
    if part == "reports":  # an auditor looks, and takes nothing away
        assert ask(office.sign_in("auditor", Role.AUDITOR), part).status_code == 403


@pytest.mark.parametrize(
    ("part", "sent", "status", "code"),
    [
        *((part, {"as_of": "2026-09-02"}, 422, "appraisal.future") for part in PARTS[:4]),
        *((part, {"as_of": "0001-01-01"}, 422, "appraisal.too_early") for part in PARTS[:4]),
        ("recusal-failures", {"until": "2026-09-02"}, 422, "appraisal.future"),
        ("recusal-failures", {"until": "0001-01-01"}, 422, "appraisal.too_early"),
        ("recusal-failures", {"since": "2026-09-01", "until": "2026-08-01"}, 422, "recusals.dates"),
        ("measurements", {"scheme": "none"}, 404, "scheme.unknown"),
        ("measurements", {"scheme": "/etc/passwd"}, 404, "scheme.unknown"),
        ("measurements", {"replications": 10_001}, 422, "http.invalid"),
        ("reports", {"scheme": "none"}, 404, "scheme.unknown"),
        ("reports", {"against": "none"}, 404, "scheme.unknown"),
        ("reports", {"purpose": ""}, 422, "http.invalid"),
        ("reports", {"lang": "fr"}, 422, "http.invalid"),
        ("scheme-comparisons", {"first": "none"}, 404, "scheme.unknown"),
        ("scheme-comparisons", {"second": "none"}, 404, "scheme.unknown"),
        ("health", {"as_of": "soon"}, 422, "http.invalid"),
        ("health", {"season": 2026}, 422, "http.invalid"),
    ],
)
def test_what_cannot_be_asked_is_a_problem_and_no_run(
    office: Office, part: str, sent: dict[str, Any], status: int, code: str
) -> None:
    answer = ask(manager(office), part, **sent)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.json()["detail"]
    with office.store.reading() as session:
        assert session.scalar(select(func.count(RunRecord.id))) == 0


def test_replications_too_few_to_say_anything_are_refused(office: Office) -> None:
    client = manager(office)
    scores(client, criteria=2)
    answer = ask(client, "measurements", replications=5)
    assert (answer.status_code, answer.json()["code"]) == (422, "measurement.replications")
