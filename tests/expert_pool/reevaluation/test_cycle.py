"""A cycle from opening to the decision on an appeal, on both databases; repeated, killed, and played by the wrong people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from cycle_office import AS_OF, computed, misbehave, on, person, sizes, sound
from refused import refused
from sqlalchemy import select
from sqlalchemy.orm import Session
from tiny_registry import Tiny

from expert_pool.facts import facts_on
from expert_pool.policies.load import preset
from expert_pool.reevaluation import cycle
from expert_pool.reevaluation.appraising import appraise
from expert_pool.reevaluation.scheme import Measure, load_scheme
from expert_pool.registry import (
    CaseState,
    CycleState,
    Discipline,
    Membership,
    Notice,
    Sanction,
    Verdict,
)
from expert_pool.runs.files import Attachment
from expert_pool.viewer import Viewer


def state_of(tiny: Tiny, expert: str, day: date) -> str:
    """The state of an expert in the pool on a day."""
    with tiny.store.reading() as session:
        found = facts_on(
            session,
            Viewer.system("x"),
            committee_id=tiny.committee_id,
            on=day,
            policy=preset("cn-title-national"),
            expert_ids=[tiny.ids["expert"][expert]],
            for_agenda=False,
        )
        return str(found.facts["state"].show(0))


def do(tiny: Tiny, step: Callable[[Session], Any]) -> Any:
    """One step, in a transaction of its own; done twice, it changes no number of rows and no state."""
    with tiny.store.session() as session:
        first = step(session)
    with tiny.store.reading() as session:
        before = sizes(session)
    with tiny.store.session() as session:
        step(session)
    with tiny.store.reading() as session:
        assert sizes(session) == before
    return first


def test_an_appeal_played_through(tiny: Tiny) -> None:
    """Opened, computed, told, answered, decided by two, executed, appealed, overturned, closed; every step twice."""
    misbehave(tiny)
    clerk, head, other, third = (person(tiny, name) for name in ("clerk", "head", "other", "third"))
    key, scheme = tiny.store.key, load_scheme("own-default")
    with on(0):
        code = do(tiny, lambda s: cycle.open_(s, clerk, "P1", scheme, AS_OF))
        do(tiny, lambda s: cycle.compute(s, clerk, code))
        with tiny.store.reading() as session:
            view = cycle.show(session, clerk, code)
            assert view.state is CycleState.COMPUTED
            assert (view.experts, view.counts["exit"], view.counts["ban"], view.counts["lower"]) == (
                11,
                1,
                1,
                2,
            )
            assert cycle.was_kept(session, clerk, code, "E06")
            assert not cycle.was_kept(session, clerk, code, "E02")
            assert cycle.own_cases(session, tiny.ids["expert"]["E02"]) == []
        do(tiny, lambda s: cycle.notify(s, clerk, key, code))
        with tiny.store.reading() as session:
            told = cycle.case(session, clerk, code, "E02")
            assert (told.state, told.reply_until) == (CaseState.NOTIFIED, date(2026, 9, 15))
            assert session.scalars(select(Notice.expert_id).order_by(Notice.expert_id)).all() == [
                tiny.ids["expert"][expert] for expert in ("E02", "E03", "E04", "E05")
            ]
            own = cycle.own_cases(session, tiny.ids["expert"]["E02"])
            assert [(one.expert, one.measure) for one in own] == [("E02", Measure.EXIT)]
    with on(3):
        proof = Attachment("诊断证明.pdf", b"%PDF-1.7", "application/pdf")
        e04 = tiny.ids["expert"]["E04"]
        do(
            tiny,
            lambda s: cycle.reply_own(
                s, "expert4", key, code, e04, "当日住院。", evidence=[proof], last=True
            ),
        )
        with tiny.store.reading() as session:
            said = cycle.case(session, clerk, code, "E04").said
            assert [(one.text, one.by, [f.name for f in one.evidence]) for one in said] == [
                ("当日住院。", "expert4", ["诊断证明.pdf"])
            ]
            assert cycle.evidence_file(session, clerk, key, code, "E04", said[0].id, 1) == proof
        do(
            tiny,
            lambda s: cycle.decide(s, head, code, [cycle.Deciding("E04", Measure.KEEP, reason="已核实住院")]),
        )
    with on(15):
        do(tiny, lambda s: cycle.decide_unanswered(s, head, code))
        do(tiny, lambda s: cycle.confirm(s, other, code))
        do(tiny, lambda s: cycle.execute(s, clerk, key, code))
        with tiny.store.reading() as session:
            assert cycle.show(session, clerk, code).state is CycleState.EXECUTED
            done = cycle.case(session, clerk, code, "E03")
            assert (done.outcome, done.outcome_months, len(done.executed)) == (Measure.BAN, None, 2)
            assert cycle.case(session, clerk, code, "E04").executed == ()
    states = {expert: state_of(tiny, expert, date(2026, 9, 20)) for expert in ("E02", "E03", "E04", "E05")}
    assert states == {"E02": "exited", "E03": "banned", "E04": "active", "E05": "restricted"}
    with on(16):
        e03, e02 = (tiny.ids["expert"][expert] for expert in ("E03", "E02"))
        do(tiny, lambda s: cycle.appeal_own(s, "expert3", key, code, e03, "不是我泄露的。"))
        do(tiny, lambda s: cycle.appeal_own(s, "expert2", key, code, e02, "请从轻。"))
        do(tiny, lambda s: cycle.appeal(s, clerk, key, code, "E05", "不服。"))
        with tiny.store.session() as session, refused("cycle.decided_before", actor="head"):
            cycle.decide_appeal(session, head, code, "E03", reason="x")
        keep, lighter = Measure.KEEP, Measure.SUSPEND
        do(tiny, lambda s: cycle.decide_appeal(s, clerk, code, "E03", keep, reason="另有其人"))
        do(tiny, lambda s: cycle.decide_appeal(s, clerk, code, "E02", lighter, 3, reason="情节较轻"))
        do(tiny, lambda s: cycle.decide_appeal(s, clerk, code, "E05", reason="事实清楚"))
        for expert in ("E03", "E02", "E05"):
            do(tiny, lambda s, expert=expert: cycle.confirm_appeal(s, third, key, code, expert))
    states = {expert: state_of(tiny, expert, date(2026, 9, 20)) for expert in ("E02", "E03", "E05")}
    assert states == {"E02": "suspended", "E03": "active", "E05": "restricted"}
    assert state_of(tiny, "E02", date(2026, 12, 15)) == "suspended"
    assert state_of(tiny, "E02", date(2026, 12, 16)) == "active"
    with on(60):
        do(tiny, lambda s: cycle.close(s, clerk, code))
        with tiny.store.reading() as session:
            assert cycle.show(session, clerk, code).state is CycleState.CLOSED
            assert cycle.same(session, clerk, code)
            sound(session)
            rows = session.scalars(select(Discipline).order_by(Discipline.id)).all()
            assert {row.sanction for row in rows} == {
                Sanction.BAN,
                Sanction.RESTRICTION,
                Sanction.REVOCATION,
                Sanction.SUSPENSION,
            }
            left = session.scalars(select(Membership).where(Membership.void)).all()
            assert {row.expert_id for row in left} == {e02, e03}


def test_what_must_not_be_is_refused(sqlite_tiny: Tiny) -> None:
    """Out of time, out of turn, by the same person, by somebody else's office: clear words, and nothing changes."""
    tiny = sqlite_tiny
    misbehave(tiny)
    clerk, head, key = person(tiny, "clerk"), person(tiny, "head"), tiny.store.key
    stranger, scheme = Viewer("stranger", frozenset({999})), load_scheme("own-default")

    def refusing(code: str, step: Callable[[Session], Any], **params: Any) -> None:
        with tiny.store.reading() as session:
            before = sizes(session)
        with tiny.store.session() as session, refused(code, **params):
            step(session)
        with tiny.store.reading() as session:
            assert sizes(session) == before

    with on(0):
        tomorrow = date(2026, 9, 2)
        refusing("cycle.future", lambda s: cycle.open_(s, clerk, "P1", scheme, tomorrow))
        refusing("appraisal.future", lambda s: appraise(s, clerk, "P1", scheme, tomorrow))
        refusing("appraisal.pool_unknown", lambda s: cycle.open_(s, stranger, "P1", scheme, AS_OF))
        code = computed(tiny)
        other = load_scheme("sichuan-bid-grades")
        refusing("cycle.taken", lambda s: cycle.open_(s, clerk, "P1", other, AS_OF), cycle=code)
        refusing("cycle.open_already", lambda s: cycle.open_(s, clerk, "P1", scheme, date(2026, 8, 30)))
        for step in (cycle.show, cycle.recompute, cycle.close):
            refusing("cycle.unknown", lambda s, step=step: step(s, stranger, code))
        refusing("cycle.unknown", lambda s: cycle.decide(s, stranger, code, [cycle.Deciding("E02")]))
        refusing("cycle.case_unknown", lambda s: cycle.decide(s, head, code, [cycle.Deciding("E06")]))
        refusing("cycle.not_notified", lambda s: cycle.decide(s, head, code, [cycle.Deciding("E02")]))
        refusing(
            "cycle.unknown", lambda s: cycle.reply_own(s, "e", key, code, tiny.ids["expert"]["E02"], "?")
        )
        refusing("cycle.letter_early", lambda s: cycle.letter_of(s, clerk, code, "E02", "proposal"))
        with tiny.store.session() as session:
            cycle.notify(session, clerk, key, code)
        refusing("cycle.told_already", lambda s: cycle.drop(s, clerk, code, "误开"))
        refusing("cycle.text_missing", lambda s: cycle.reply(s, clerk, key, code, "E02", "  "))
        refusing("cycle.text_long", lambda s: cycle.reply(s, clerk, key, code, "E02", "字" * 5001))
        large = [Attachment("大.bin", b"0" * 5_000_001)]
        refusing(
            "cycle.evidence_large", lambda s: cycle.reply(s, clerk, key, code, "E02", "x", evidence=large)
        )
        many = [Attachment(f"{n}", b"0") for n in range(21)]
        refusing("cycle.evidence_many", lambda s: cycle.reply(s, clerk, key, code, "E02", "x", evidence=many))
        empty = [Attachment("空", b"")]
        refusing(
            "cycle.evidence_empty", lambda s: cycle.reply(s, clerk, key, code, "E02", "x", evidence=empty)
        )
    with on(14):
        until = date(2026, 9, 15)
        refusing(
            "cycle.reply_time_runs",
            lambda s: cycle.decide(s, head, code, [cycle.Deciding("E02")]),
            until=until,
        )
    with on(15):
        refusing(
            "cycle.reply_late", lambda s: cycle.reply(s, clerk, key, code, "E02", "迟到的答复"), until=until
        )
        graver = cycle.Deciding("E02", Measure.BAN, reason="x")
        refusing("cycle.graver", lambda s: cycle.decide(s, head, code, [graver]))
        silent = cycle.Deciding("E02", Measure.KEEP)
        refusing("cycle.reason_missing", lambda s: cycle.decide(s, head, code, [silent]))
        endless = cycle.Deciding("E02", Measure.SUSPEND, reason="x")
        refusing("cycle.months", lambda s: cycle.decide(s, head, code, [endless]))
        refusing("cycle.not_decided", lambda s: cycle.confirm(s, head, code, ["E02"]))
        refusing("cycle.not_decided", lambda s: cycle.execute(s, clerk, key, code, ["E02"]))
        with tiny.store.session() as session:
            cycle.decide(session, head, code, [cycle.Deciding("E02")])
        refusing("cycle.same_person", lambda s: cycle.confirm(s, head, code, ["E02"]), actor="head")
        refusing("cycle.same_person", lambda s: cycle.confirm(s, head, code))
        refusing("cycle.second_person_missing", lambda s: cycle.execute(s, clerk, key, code))
        refusing("cycle.second_person_missing", lambda s: cycle.execute(s, clerk, key, code, ["E02"]))
        lesser = cycle.Deciding("E02", Measure.KEEP, reason="改变主意")
        refusing("cycle.decided_already", lambda s: cycle.decide(s, head, code, [lesser]))
        refusing("cycle.not_executed", lambda s: cycle.appeal(s, clerk, key, code, "E02", "不服"))
        refusing("cycle.cases_left", lambda s: cycle.close(s, clerk, code), left=4)
        with tiny.store.session() as session:
            cycle.confirm(session, clerk, code, ["E02"])
            cycle.execute(session, clerk, key, code)
        refusing("cycle.not_appealed", lambda s: cycle.decide_appeal(s, clerk, code, "E02", reason="x"))
    with on(40):
        refusing("cycle.appeal_late", lambda s: cycle.appeal(s, clerk, key, code, "E02", "不服"))


def test_the_second_person_may_send_a_decision_back(sqlite_tiny: Tiny) -> None:
    """Then it is decided anew, and by whomever; what was sent back is not confirmed."""
    tiny = sqlite_tiny
    misbehave(tiny)
    clerk, head = person(tiny, "clerk"), person(tiny, "head")
    code = computed(tiny)
    with on(0), tiny.store.session() as session:
        cycle.notify(session, clerk, tiny.store.key, code)
    with on(15), tiny.store.session() as session:
        cycle.decide(session, clerk, code, [cycle.Deciding("E02")])
        assert cycle.confirm(session, head, code, ["E02"], refuse="先查病假").done == 1
        assert cycle.confirm(session, head, code, ["E02"], refuse="先查病假").done == 0
        assert cycle.decide_unanswered(session, clerk, code).done == 3, "what was sent back needs a hand"
        cycle.decide(session, head, code, [cycle.Deciding("E02", Measure.SUSPEND, 6, "病假属实")])
        cycle.confirm(session, clerk, code, ["E02"])
        found = cycle.case(session, clerk, code, "E02")
        assert [one.verdict for one in found.decisions] == [Verdict.REFUSED, Verdict.CONFIRMED]
        assert (found.outcome, found.outcome_months, found.state) == (Measure.SUSPEND, 6, CaseState.DECIDED)
