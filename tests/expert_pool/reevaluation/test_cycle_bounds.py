"""What a cycle never does: decide by statistics, punish one matter twice, shorten a promised day, keep what was erased."""

from __future__ import annotations

from datetime import date

import pytest
from cycle_office import AS_OF, MadeFlag, MadeMeasurement, computed, misbehave, on, person, sound
from refused import refused
from tiny_registry import Tiny

from expert_pool.privacy import erasure
from expert_pool.privacy.retention import load_retention
from expert_pool.reevaluation import cycle
from expert_pool.reevaluation.appraising import appraise
from expert_pool.reevaluation.cycle import hearing
from expert_pool.reevaluation.scheme import Measure, load_scheme
from expert_pool.reevaluation.working_days import Deadline
from expert_pool.registry import CaseState, CycleState, ErasureBasis
from expert_pool.runs.files import Attachment
from expert_pool.viewer import Viewer


def test_statistics_never_decide_alone(tiny: Tiny) -> None:
    """A flag asks for a look and no more; a person may amend it to training at most, and the expert is heard then."""
    misbehave(tiny)
    clerk, head, key = person(tiny, "clerk"), person(tiny, "head"), tiny.store.key
    measured = MadeMeasurement((MadeFlag("E07"), MadeFlag("E02"), MadeFlag("NOBODY")))
    with on(0), tiny.store.reading() as session:
        found = appraise(session, clerk, "P1", load_scheme("own-default"), AS_OF, measured=measured)
        assert found.unmatched == ("NOBODY",)
        by_expert = {one.expert: one for one in found.proposals()}
        assert (by_expert["E07"].measure, by_expert["E07"].by_conduct) == (Measure.LOOK, False)
        assert by_expert["E02"].measure is Measure.EXIT
        assert [reason.code for reason in by_expert["E02"].reasons] == [
            "conduct.grade",
            "measurement.flag.severe",
        ]
        assert by_expert["E02"].without is Measure.LOOK
    code = computed(tiny, measured=measured)
    with on(0), tiny.store.session() as session:
        assert cycle.notify(session, clerk, key, code).done == 4, "who is to be looked at is told nothing"
        for decision, why in (
            (cycle.Deciding("E07"), "cycle.look_open"),
            (cycle.Deciding("E07", Measure.SUSPEND, 6, "x"), "cycle.statistics_alone"),
            (cycle.Deciding("E07", Measure.RETRAIN, None, "x"), "cycle.graver"),
            (cycle.Deciding("E07", Measure.KEEP), "cycle.reason_missing"),
        ):
            with refused(why):
                cycle.decide(session, head, code, [decision])
        with refused("cycle.statistics_alone"):
            cycle.amend(session, clerk, code, "E07", Measure.EXIT, None, "打分太严")
        for _ in range(2):
            cycle.amend(session, clerk, code, "E07", Measure.RETRAIN, None, "抽看 12 份，评语与分数不符")
        assert cycle.notify(session, clerk, key, code).done == 1
        assert cycle.case(session, clerk, code, "E07").state is CaseState.NOTIFIED
        assert cycle.same(session, clerk, code), "what a person amends changes nothing of the computation"


def test_what_led_to_a_measure_before_leads_to_none_again(sqlite_tiny: Tiny) -> None:
    """One matter, one measure; with something new on record it counts again, and after an appeal was upheld too."""
    tiny = sqlite_tiny
    misbehave(tiny)
    clerk, head, key, scheme = (
        person(tiny, "clerk"),
        person(tiny, "head"),
        tiny.store.key,
        load_scheme("own-default"),
    )
    code = computed(tiny)
    with on(0), tiny.store.session() as session:
        cycle.notify(session, clerk, key, code)
    with on(15), tiny.store.session() as session:
        cycle.decide_unanswered(session, head, code)
        cycle.confirm(session, clerk, code)
        cycle.execute(session, clerk, key, code)
    with on(40), tiny.store.session() as session:
        cycle.close(session, clerk, code)
        later = date(2026, 9, 30)
        found = appraise(session, clerk, "P1", scheme, later)
        assert found.counts()["keep"] == len(found) == 9, "E02 and E03 have left"
        spent = [one.already for one in found.reasons(found.experts.index("E04"))]
        assert spent == [code]
        again = cycle.open_(session, clerk, "P1", scheme, later)
        cycle.compute(session, clerk, again)
        assert cycle.show(session, clerk, again).state is CycleState.EXECUTED, "nothing is left to do"
        cycle.close(session, clerk, again)
        assert cycle.same(session, clerk, code)
        assert cycle.same(session, clerk, again)
    misbehave(tiny, [("E04", "迟到", date(2026, 9, 25))])
    with on(41), tiny.store.reading() as session:
        found = appraise(session, clerk, "P1", scheme, date(2026, 10, 1))
        assert [one.expert for one in found.proposals()] == ["E04"]


def test_a_cycle_dropped_in_time_gives_its_period_back(sqlite_tiny: Tiny) -> None:
    tiny = sqlite_tiny
    misbehave(tiny)
    clerk, code = person(tiny, "clerk"), computed(tiny)
    with on(0), tiny.store.session() as session:
        with refused("cycle.reason_missing"):
            cycle.drop(session, clerk, code, " ")
        for _ in range(2):
            cycle.drop(session, clerk, code, "方案选错")
        with refused("cycle.ended"):
            cycle.notify(session, clerk, tiny.store.key, code)
        second = cycle.open_(session, clerk, "P1", load_scheme("sichuan-bid-grades"), AS_OF)
        assert second == f"{code}-2"
        assert [one.state for one in cycle.list_(session, clerk)] == [CycleState.OPEN, CycleState.DROPPED]
        assert cycle.list_(session, Viewer("stranger", frozenset({999}))) == []
    with tiny.store.reading() as session:
        sound(session)


@pytest.mark.parametrize("provisional", [False, True])
def test_a_provisional_day_may_only_move_later(
    sqlite_tiny: Tiny, provisional: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told before the holidays of 2027 were published; once they are, the later day holds, as the letter said."""
    tiny = sqlite_tiny
    misbehave(tiny)
    clerk, key, code = person(tiny, "clerk"), tiny.store.key, computed(tiny)
    began = 110 if provisional else 60
    with on(began), tiny.store.session() as session:
        cycle.notify(session, clerk, key, code)
        told = cycle.case(session, clerk, code, "E02")
        assert told.reply_provisional is provisional
        assert told.reply_until is not None
    late = (told.reply_until - date(2026, 9, 1)).days + 1
    moved = Deadline(date(2027, 1, 6), provisional=False)
    monkeypatch.setattr(hearing, "deadline", lambda start, days: moved)
    with on(late), tiny.store.session() as session:
        if provisional:
            cycle.reply(session, clerk, key, code, "E02", "赶上了")
        else:
            with refused("cycle.reply_late"):
                cycle.reply(session, clerk, key, code, "E02", "赶不上")


def test_erasing_an_expert_takes_what_was_said_and_leaves_the_ledger_whole(sqlite_tiny: Tiny) -> None:
    """Reasons, answers, files and what people wrote of an expert who left go; that there was a case stays."""
    tiny = sqlite_tiny
    misbehave(tiny)
    clerk, head, key, code = person(tiny, "clerk"), person(tiny, "head"), tiny.store.key, computed(tiny)
    with on(0), tiny.store.session() as session:
        cycle.notify(session, clerk, key, code)
        proof = Attachment("病历.pdf", b"%PDF", "application/pdf")
        cycle.reply(session, clerk, key, code, "E02", "住院", evidence=[proof], last=True)
        cycle.decide(session, head, code, [cycle.Deciding("E02", reason="缺席两次")])
        cycle.confirm(session, clerk, code, ["E02"])
        cycle.execute(session, clerk, key, code)
        said = cycle.case(session, clerk, code, "E02").said[0].id
    rules = load_retention()
    with on(30), tiny.store.session() as session:
        asked = erasure.propose(session, clerk, "E02", basis=ErasureBasis.REQUEST, note="本人申请")
        erasure.confirm(session, head, asked.code, rules)
    with on(30), tiny.store.reading() as session:
        left = cycle.case(session, clerk, code, "E02")
        assert (left.reasons, left.outcome, left.state) == ((), Measure.EXIT, CaseState.EXECUTED)
        assert [one.text for one in left.said] == [""]
        assert [one.reason for one in left.decisions] == [""]
        with refused("cycle.evidence_unknown"):
            cycle.evidence_file(session, clerk, key, code, "E02", said, 1)
        sound(session)
