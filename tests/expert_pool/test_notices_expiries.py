"""Who is told what ends, when, and how often."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from refused import refused
from sqlalchemy import func, select
from tiny_registry import Tiny

from expert_pool import clock
from expert_pool.notices.addresses import To, set_address
from expert_pool.notices.channels import FileSettings, MailSettings, set_channel
from expert_pool.notices.expiries import LOOKS, Told, tell_expiries
from expert_pool.notices.letter import PARTS, letter
from expert_pool.notices.rules import KINDS, RULES_VARIABLE, load_rules
from expert_pool.registry import (
    AddressForm,
    Credit,
    Medium,
    Membership,
    Notice,
    NoticeDelivery,
    NoticeItem,
    Organiser,
    PanelRecord,
    PanelState,
    Pool,
    Role,
    Seat,
    Step,
    Training,
)
from expert_pool.store import Store
from expert_pool.words import known, languages

TODAY = date(2026, 9, 1)


def at(day: date) -> datetime:
    """Noon of a day, wherever this machine stands."""
    return datetime.combine(day, time(12)).astimezone()


@pytest.fixture
def quiet(tiny: Tiny) -> Iterator[Tiny]:
    """The small registry, where nothing ends soon, its experts reachable by files."""
    with clock.fixed(at(TODAY)):
        with tiny.store.session() as session:
            set_channel(session, tiny.store.key, Medium.FILE, FileSettings(), by="admin")
            for training in session.scalars(select(Training)):
                training.until = date(2030, 1, 1)
            for step in session.scalars(select(Membership).where(Membership.step == Step.ADMITTED)):
                step.until, step.holds_on = None, date(2026, 1, 1)
        yield tiny


def add(tiny: Tiny, table: Any, code: str, **more: Any) -> int:
    with tiny.store.session() as session:
        common = {"organiser_id": tiny.organiser_id, "recorded_at": clock.now(), "recorded_by": "t"}
        row = table(**({"expert_id": tiny.ids["expert"][code], "void": False} | common | more))
        session.add(row)
        session.flush()
        return int(row.id)


def trained(tiny: Tiny, code: str, until: date) -> None:
    with tiny.store.session() as session:
        for row in session.scalars(select(Training).where(Training.expert_id == tiny.ids["expert"][code])):
            row.until = until


def look(tiny: Tiny, day: date, *kinds: str, **more: Any) -> tuple[int, int]:
    """What a run on a day told: offices, experts."""
    with clock.fixed(at(day)):
        told = tell_expiries(tiny.store, kinds or None, **more)
    return sum(told.offices.values()), sum(told.experts.values())


def said(tiny: Tiny) -> list[tuple[str, dict[str, Any]]]:
    with tiny.store.reading() as session:
        return [
            (notice.kind, json.loads(tiny.store.key.open(notice.params_sealed or b"")))
            for notice in session.scalars(select(Notice).order_by(Notice.id))
        ]


def test_nothing_ends_and_nobody_is_told(quiet: Tiny) -> None:
    assert look(quiet, TODAY) == (0, 0)
    assert set(LOOKS) < KINDS


def test_each_window_is_told_once(quiet: Tiny) -> None:
    trained(quiet, "E01", TODAY + timedelta(days=100))
    days = (0, 39, 40, 41, 69, 70, 92, 93, 99, 100, 101, 102, 131)
    told = {n: look(quiet, TODAY + timedelta(days=n), "training.expiring") for n in days}
    assert {n: one for n, one in told.items() if one != (0, 0)} == dict.fromkeys((40, 70, 93, 101), (1, 1))
    kind, params = said(quiet)[0]
    assert (kind, params["which"], params["first"]) == ("training.expiring", ["E01"], "2026-12-10")


def test_after_a_standstill_the_tightest_window_is_told_and_the_passed_ones_are_not(quiet: Tiny) -> None:
    trained(quiet, "E01", TODAY + timedelta(days=5))
    trained(quiet, "E02", TODAY - timedelta(days=20))
    trained(quiet, "E03", TODAY - timedelta(days=40))  # too long ago to be news
    assert look(quiet, TODAY, "training.expiring") == (1, 2)
    assert look(quiet, TODAY, "training.expiring") == (0, 0)
    digest = said(quiet)[0][1]
    assert (digest["count"], digest["ended"], digest["which"]) == (2, 1, ["E02", "E01"])
    with quiet.store.reading() as session:
        assert sorted(session.scalars(select(NoticeItem.cause)))[0].endswith(f":office:{quiet.organiser_id}")


def test_who_passed_a_course_again_is_not_told(quiet: Tiny) -> None:
    trained(quiet, "E01", TODAY + timedelta(days=5))
    again = {"course": "x", "passed": True, "until": TODAY + timedelta(days=500)}
    add(quiet, Training, "E01", holds_on=TODAY, **again)
    trained(quiet, "E12", TODAY + timedelta(days=5))  # has left the pool
    trained(quiet, "E02", TODAY + timedelta(days=5))
    failed = {"course": "x", "passed": False, "until": TODAY + timedelta(days=500)}
    add(quiet, Training, "E02", holds_on=TODAY, **failed)
    assert look(quiet, TODAY, "training.expiring") == (1, 1)
    assert said(quiet)[0][1]["which"] == ["E02"]


def test_a_term_ends_by_its_record_or_by_the_policy_s_years(quiet: Tiny) -> None:
    pool = quiet.pool_id
    step = {"pool_id": pool, "step": Step.ADMITTED, "reason": ""}
    add(quiet, Membership, "E01", holds_on=date(2026, 2, 1), until=TODAY + timedelta(days=20), **step)
    three_years = date(2023, 9, 11)  # three years: the last day is 10 September 2026
    with quiet.store.session() as session:
        for row in session.scalars(
            select(Membership).where(Membership.expert_id == quiet.ids["expert"]["E02"])
        ):
            row.holds_on = three_years
    assert look(quiet, TODAY, "term.ending") == (1, 2)
    digest = said(quiet)[0][1]
    assert (digest["which"], digest["first"], digest["last"]) == (["E02", "E01"], "2026-09-10", "2026-09-21")
    assert said(quiet)[1][1]["about"] == "工程专家库"
    left = {"pool_id": pool, "step": Step.LEFT, "until": None, "reason": ""}
    add(quiet, Membership, "E02", holds_on=TODAY, **left)
    assert look(quiet, TODAY + timedelta(days=3), "term.ending") == (0, 0)  # who left is not told of the end


def test_a_withdrawn_record_counts_no_more(quiet: Tiny) -> None:
    trained(quiet, "E01", TODAY + timedelta(days=5))
    more = {"course": "x", "passed": True, "until": TODAY + timedelta(days=500), "holds_on": TODAY}
    first = add(quiet, Training, "E01", **more)
    assert look(quiet, TODAY, "training.expiring") == (0, 0)
    add(quiet, Training, "E01", corrects_id=first, **(more | {"void": True}))
    assert look(quiet, TODAY, "training.expiring") == (1, 1)


def test_filings_end_for_the_office_of_their_committee(quiet: Tiny) -> None:
    # both are good for three years from 10 January 2025 at most, so until 9 January 2028 by the policy; recorded: 2027
    ends = date(2027, 12, 31)
    assert look(quiet, ends - timedelta(days=61), "filing.expiring") == (0, 0)
    assert look(quiet, ends - timedelta(days=60), "filing.expiring") == (1, 0)
    assert look(quiet, ends - timedelta(days=59), "filing.expiring") == (0, 0)
    params = said(quiet)[0][1]
    assert (params["count"], params["first"]) == (
        2,
        "2027-12-31",
    )  # of the pool and of the committee, not of results
    assert "(C1)" in params["which"][0]


def test_low_credit_is_told_by_the_loss_that_counts(quiet: Tiny) -> None:
    assert look(quiet, TODAY, "credit.low") == (0, 0)
    add(quiet, Credit, "E01", event="late", points=-31, holds_on=TODAY)
    assert look(quiet, TODAY, "credit.low") == (1, 1)
    assert look(quiet, TODAY, "credit.low") == (0, 0)
    assert said(quiet)[1][1]["value"] == 69
    add(quiet, Credit, "E01", event="good", points=5, holds_on=TODAY)
    assert look(quiet, TODAY, "credit.low") == (0, 0)
    add(quiet, Credit, "E01", event="late", points=-10, holds_on=TODAY)
    assert look(quiet, TODAY, "credit.low") == (1, 1)


def panel(tiny: Tiny, open_on: date, state: PanelState) -> None:
    with tiny.store.session() as session:
        common = {"policy": "p", "problem_sha256": "x", "problem": b"", "answer": "{}", "fileable": True}
        asked = {"requested_at": clock.now(), "requested_by": "t", "approved_at": None, "approved_by": None}
        row = PanelRecord(
            code=f"M1-{state}",
            meeting_id=tiny.meeting_id,
            organiser_id=tiny.organiser_id,
            state=state,
            **common,
            **asked,
        )
        session.add(row)
        session.flush()
        who = tiny.ids["expert"]["E01"]
        seat = {"group": "g", "role": Role.MEMBER, "call_order": None, "open_on": open_on}
        session.add(Seat(panel_id=row.id, expert_id=who, **seat))


def test_a_seal_about_to_open_is_told_without_who_sits(quiet: Tiny) -> None:
    panel(quiet, TODAY + timedelta(days=3), PanelState.APPROVED)
    panel(quiet, TODAY + timedelta(days=3), PanelState.PROPOSED)
    told = [look(quiet, TODAY + timedelta(days=n), "panel.opens") for n in range(6)]
    assert told == [(0, 0), (0, 0), (1, 0), (0, 0), (0, 0), (0, 0)]
    assert said(quiet)[0][1]["which"] == ["M1-approved (M1)"]


def test_re_evaluation_is_told_each_year(quiet: Tiny) -> None:
    days = [date(year, month, day) for year in (2026, 2027) for month in (11, 12) for day in (1, 2, 24, 25)]
    told = [sum(look(quiet, day, "reevaluation.due")) for day in days]
    assert told == [1, 0, 1, 0, 0, 0, 0, 0] * 2  # thirty days before and seven, each year


def many(tiny: Tiny, count: int, until: date) -> None:
    """More experts of the same pool, trained until a day; without address or account."""
    from expert_pool.bulk import insert_rows
    from expert_pool.registry import Expert
    from expert_pool.store import allocate

    with tiny.store.session() as session:
        ids = allocate(session, Expert, count)
        names = ("id", "code", "pseudonym", "name", "region")
        insert_rows(session, Expert, names, [(i, f"B{i}", f"Q{i}", "某", "220000") for i in ids])
        record = (tiny.organiser_id, clock.now(), "t", False)
        owned = ("organiser_id", "recorded_at", "recorded_by", "void", "expert_id", "holds_on", "id")
        for table, more, values in (
            (Membership, ("pool_id", "step", "reason"), (tiny.pool_id, Step.ADMITTED, "")),
            (Training, ("course", "passed", "until"), ("x", True, until)),
        ):
            fresh = allocate(session, table, count)
            lines = [(*record, e, date(2026, 1, 1), i, *values) for e, i in zip(ids, fresh, strict=True)]
            insert_rows(session, table, (*owned, *more), lines)


def test_a_pool_of_thousands_is_one_mail_to_its_office(quiet: Tiny) -> None:
    many(quiet, 2_000, TODAY + timedelta(days=30))
    store = quiet.store
    with store.session() as session:
        settings = MailSettings(host="mail.b.cn", sender="a@b.cn")
        set_channel(session, store.key, Medium.MAIL, settings, by="admin")
        set_channel(session, store.key, Medium.FILE, FileSettings(), enabled=False, by="admin")
        to = To(office_id=quiet.organiser_id)
        set_address(session, store.key, to, AddressForm.MAIL, "office@b.cn", language="zh", by="x")
    assert look(quiet, TODAY, "training.expiring") == (1, 0)
    digest = said(quiet)[0][1]
    assert (digest["count"], len(digest["which"]), digest["more"]) == (2_000, 50, 1_950)
    with store.reading() as session:
        assert session.scalar(select(func.count(NoticeDelivery.id))) == 1
    assert look(quiet, TODAY, "training.expiring") == (0, 0)


def test_an_office_of_its_own_hears_of_its_own_pools_only(quiet: Tiny) -> None:
    with quiet.store.session() as session:
        other = Organiser(code="SZ", name="市局")
        session.add(other)
        session.flush()
        pool = Pool(code="P2", name="二库", organiser_id=other.id)
        session.add(pool)
        session.flush()
        ids = (other.id, pool.id)
    step = {"pool_id": ids[1], "step": Step.ADMITTED, "reason": "", "until": None}
    add(quiet, Membership, "E01", holds_on=TODAY, **(step | {"organiser_id": ids[0]}))
    trained(quiet, "E01", TODAY + timedelta(days=5))
    trained(quiet, "E02", TODAY + timedelta(days=5))
    assert look(quiet, TODAY, "training.expiring") == (2, 2)  # E01 is in two pools and told once
    by_office = {p["count"]: p["which"] for _, p in said(quiet) if "which" in p}
    assert by_office == {2: ["E01", "E02"], 1: ["E01"]}


def test_a_run_broken_off_is_finished_by_the_next(quiet: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    from expert_pool.notices import expiries

    monkeypatch.setattr(expiries, "CHUNK", 3)
    for n in range(1, 11):
        trained(quiet, f"E{n:02}", TODAY + timedelta(days=5))
    asked = iter([False, False, True, True, True, True])
    assert look(quiet, TODAY, "training.expiring", cancelled=lambda: next(asked)) == (1, 3)
    assert look(quiet, TODAY, "training.expiring") == (0, 7)


def test_an_empty_registry_tells_nothing(store: Store) -> None:
    kinds = load_rules().kinds
    to_offices, to_experts = ({k: 0 for k in LOOKS if who in kinds[k].to} for who in ("office", "expert"))
    assert tell_expiries(store) == Told(to_offices, to_experts)


@pytest.mark.parametrize("lang", languages())
def test_every_kind_has_its_words(lang: str) -> None:
    for kind, rule in load_rules().kinds.items():
        wanted = [f"notice_kind.{kind}"]
        wanted += [f"notice.{kind}.{part}" for part in PARTS if kind not in LOOKS or "expert" in rule.to]
        wanted += [f"notice.{kind}.digest.{part}" for part in PARTS if kind in LOOKS]
        assert [code for code in wanted if not known(code, lang)] == []
    for medium in Medium:
        assert known(f"medium.{medium}", lang)


@pytest.mark.parametrize("lang", languages())
def test_what_an_expert_reads_says_when(lang: str) -> None:
    params = {"until": "2026-10-05", "ended": False, "about": "工程专家库", "value": 5}
    for kind in ("training.expiring", "term.ending"):
        words = letter(kind, params, lang)
        assert "2026" in words.text
        assert "{" not in words.subject + words.text + words.short


def test_rules_of_one_s_own_replace_those_of_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib import resources

    text = (resources.files("expert_pool.notices") / "rules.yaml").read_text("utf-8")
    own = tmp_path / "rules.yaml"
    monkeypatch.setenv(RULES_VARIABLE, str(own))
    with refused("notices.rules_unreadable"):
        load_rules()
    own.write_text(text.replace("windows: [1]", "windows: [3]"), "utf-8")
    assert load_rules().kinds["panel.opens"].windows == (3,)
    for wrong, code in (
        ("kinds: {}\nformat: notice-rules/1", "rules_malformed"),
        ("[", "rules_unreadable"),
        (text.replace("below: 70", "below: many"), "rules_malformed"),
        (text.replace("  letter:", "  lettre:"), "rules_malformed"),
        (text.replace("media: [mail]", "media: [file]", 1), "rules_malformed"),
    ):
        own.write_text(wrong + "\n" * (1 + len(code) + len(wrong) % 7), "utf-8")
        with refused(f"notices.{code}"):
            load_rules()
