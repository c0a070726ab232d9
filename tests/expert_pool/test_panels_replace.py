"""Replacing on the registry: a new record, the ledger, seals, invitations and what is refused."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from refused import refused
from sqlalchemy import select
from tiny_registry import Tiny

from expert_pool import clock, ledger
from expert_pool import replacing as module
from expert_pool.panels import approve, request, show
from expert_pool.policies.load import load
from expert_pool.policies.policy import Policy
from expert_pool.registry import (
    Case,
    Discipline,
    Expert,
    LedgerEntry,
    Outcome,
    PanelRecord,
    PanelState,
    Sanction,
    Seat,
    Service,
)
from expert_pool.replacing import Renewed, invite, replace_panel
from expert_pool.snapshots import Choice
from expert_pool.viewer import Viewer
from solver.check import check
from solver.document import problem_sha256, read_problem
from solver.invitations import Heard
from solver.problem import Limits

OFFICE = Viewer("office", None, opens_seals=True)
QUICK = Limits(seconds=600)
SITTING: dict[str, Any] = {"committee": "C1", "meeting": "M1"}


def changed(preset: str, decided: date = date(2026, 1, 1), **values: Any) -> Policy:
    """A preset with numbers that fit twelve experts."""
    fitting: dict[str, Any] = {
        "panel_low": 3,
        "panel_high": 3,
        "group_low": 3,
        "alternates": 1,
        "quorum": "1/3",
    }
    overrides = [
        {"parameter": name, "value": value, "by": "head", "on": decided, "why": "small"}
        for name, value in (fitting | values).items()
    ]
    return load(preset, overrides=overrides)


@pytest.fixture(scope="module")
def policy() -> Policy:
    return changed("cn-title-jilin-2013", deputies_high=1)


def ask(tiny: Tiny, policy: Policy, **more: Any) -> str:
    decided = request(tiny.store, OFFICE, **SITTING, policy=policy, limits=QUICK, **more)
    assert decided.answer.members
    return decided.panel_code


def renew(tiny: Tiny, policy: Policy, *absent: str, **more: Any) -> Renewed:
    given: dict[str, Any] = {"viewer": OFFICE, "substitutes": 0, "limits": QUICK, **SITTING, **more}
    choices = [Choice(code, "住院") for code in absent]
    return replace_panel(tiny.store, given.pop("viewer"), absent=choices, policy=policy, **given)


def answers(tiny: Tiny, policy: Policy, *heard: Heard, **more: Any) -> Renewed:
    given: dict[str, Any] = {"limits": QUICK, **SITTING, **more}
    return invite(tiny.store, given.pop("viewer", OFFICE), heard=heard, policy=policy, **given)


def seated(tiny: Tiny, code: str, *, waiting: bool = True) -> list[str]:
    """The codes of the experts in a panel, in the order of their seats."""
    with tiny.store.reading() as session:
        rows = session.execute(
            select(Expert.code, Seat.call_order)
            .join(Seat, Seat.expert_id == Expert.id)
            .join(PanelRecord, PanelRecord.id == Seat.panel_id)
            .where(PanelRecord.code == code)
            .order_by(Seat.id)
        ).all()
    return [row.code for row in rows if waiting or row.call_order is None]


def easy(tiny: Tiny, code: str) -> list[str]:
    """Of those in a panel, who is easily replaced: the firm has only three experts, the university enough."""
    return [expert for expert in seated(tiny, code) if expert > "E03"]


def record(tiny: Tiny, code: str) -> PanelRecord:
    with tiny.store.reading() as session:
        found: PanelRecord = session.scalars(select(PanelRecord).where(PanelRecord.code == code)).one()
    return found


def entries(tiny: Tiny) -> list[tuple[str, str]]:
    """Action and subject of the ledger, after what made the small registry; its chain holds."""
    with tiny.store.reading() as session:
        assert ledger.verify(session) == []
        rows = session.scalars(select(LedgerEntry).order_by(LedgerEntry.id)).all()
    return [(row.action, row.subject) for row in rows[1:] if row.action != "panel.seals_opened"]


@contextmanager
def on_day(day: date) -> Iterator[None]:
    with clock.fixed(datetime(day.year, day.month, day.day, 4, tzinfo=UTC)):
        yield


def test_a_replacement_is_a_new_record(tiny: Tiny, policy: Policy, now: datetime) -> None:
    """With its own problem, seats and ledger entry; the proposal before it is replaced at once."""
    first = ask(tiny, policy)
    gone = easy(tiny, first)[0]
    done = renew(tiny, policy, gone)
    assert (done.panel_code, done.replaces) == ("M1-P2", first)
    assert gone not in seated(tiny, "M1-P2")
    assert len(seated(tiny, "M1-P2")) == 4
    assert len(set(seated(tiny, first)) & set(seated(tiny, "M1-P2"))) >= 2
    new = record(tiny, "M1-P2")
    problem = read_problem(zlib.decompress(new.problem))
    assert problem_sha256(problem) == new.problem_sha256 == done.answer.problem.sha256
    assert not [finding for finding in check(problem, done.answer) if finding.hard]
    assert [(out.by, out.why) for out in problem.exclusions] == [("office", "2026-09-01 住院")]
    assert record(tiny, first).state is PanelState.REPLACED
    assert new.state is PanelState.PROPOSED
    assert entries(tiny) == [("panel.requested", first), ("panel.replaced", "M1-P2")]
    assert done.replacement is not None
    assert done.replacement.changes[0].expert in done.names
    assert "虚构" in done.names[done.replacement.changes[0].expert].name


def test_an_approved_panel_stands_until_the_new_one_is_approved(
    sqlite_tiny: Tiny, policy: Policy, now: datetime
) -> None:
    """The office is never without a panel in force."""
    first = ask(sqlite_tiny, policy)
    approve(sqlite_tiny.store, OFFICE, first, policy=policy)
    renew(sqlite_tiny, policy, easy(sqlite_tiny, first)[0])
    assert record(sqlite_tiny, first).state is PanelState.APPROVED
    approve(sqlite_tiny.store, OFFICE, "M1-P2", policy=policy)
    assert record(sqlite_tiny, first).state is PanelState.REPLACED
    assert record(sqlite_tiny, "M1-P2").state is PanelState.APPROVED


def test_a_second_replacement_goes_on_from_the_first(
    sqlite_tiny: Tiny, policy: Policy, now: datetime
) -> None:
    """Who was out stays out, though the snapshot is taken anew."""
    first = ask(sqlite_tiny, policy)
    one = easy(sqlite_tiny, first)[0]
    renew(sqlite_tiny, policy, one)
    two = easy(sqlite_tiny, "M1-P2")[0]
    done = renew(sqlite_tiny, policy, two)
    assert (done.panel_code, done.replaces) == ("M1-P3", "M1-P2")
    assert not {one, two} & set(seated(sqlite_tiny, "M1-P3"))
    assert len(done.problem.exclusions) == 2


def test_the_same_overrides_may_be_typed_on_another_day(
    sqlite_tiny: Tiny, policy: Policy, now: datetime
) -> None:
    """A policy is told by what it says; the second time against a panel that was itself a replacement."""
    first = ask(sqlite_tiny, policy)
    later = changed("cn-title-jilin-2013", date(2026, 9, 1), deputies_high=1)
    assert later.sha256 != policy.sha256
    renew(sqlite_tiny, later, easy(sqlite_tiny, first)[0])
    done = renew(sqlite_tiny, policy, easy(sqlite_tiny, "M1-P2")[0])
    assert done.panel_code == "M1-P3"


def test_what_became_known_since_counts(sqlite_tiny: Tiny, policy: Policy, now: datetime) -> None:
    """A member banned after the panel was made goes too, without being named."""
    first = ask(sqlite_tiny, policy)
    banned, gone = easy(sqlite_tiny, first)[:2]
    with sqlite_tiny.store.session() as session:
        ban = {"sanction": Sanction.BAN, "until": None, "basis": "x", "holds_on": date(2026, 2, 1)}
        about = {
            "expert_id": sqlite_tiny.ids["expert"][banned],
            "organiser_id": sqlite_tiny.organiser_id,
            "recorded_by": "office",
            "recorded_at": now,
        }
        session.add(Discipline(**ban, **about, void=False))
    with clock.fixed(now + timedelta(hours=1)):
        renew(sqlite_tiny, policy, gone)
        assert not {banned, gone} & set(seated(sqlite_tiny, "M1-P2"))


def test_the_office_may_choose_among_the_substitutes(
    sqlite_tiny: Tiny, policy: Policy, now: datetime
) -> None:
    """The second of the list, taken at once; a lock taken back frees them again."""
    first = ask(sqlite_tiny, policy)
    gone = easy(sqlite_tiny, first)[0]
    done = renew(sqlite_tiny, policy, gone, substitutes=1)
    assert done.replacement is not None
    second = done.replacement.seats[0].substitutes[1].expert
    with sqlite_tiny.store.reading() as session:
        code = session.scalars(select(Expert.code).where(Expert.pseudonym == second)).one()
    chosen = renew(sqlite_tiny, policy, gone, chosen=[Choice(code, "更合适")], panel=first)
    assert code in seated(sqlite_tiny, chosen.panel_code, waiting=False)
    with refused("replace.locked"):
        renew(sqlite_tiny, policy, code)
    freed = renew(sqlite_tiny, policy, code, freed=[Choice(code, "生病")])
    assert code not in seated(sqlite_tiny, freed.panel_code)


def test_when_nobody_can_the_old_panel_stands(sqlite_tiny: Tiny, policy: Policy, now: datetime) -> None:
    """The answer is on record with its reason, and replaces nothing."""
    first = ask(sqlite_tiny, policy)
    done = renew(sqlite_tiny, policy, *(f"E{n:02}" for n in range(1, 11)))
    assert done.answer.status == "infeasible"
    assert done.replaces is None
    assert record(sqlite_tiny, first).state is PanelState.PROPOSED
    assert seated(sqlite_tiny, done.panel_code) == []
    again = renew(sqlite_tiny, policy, easy(sqlite_tiny, first)[0])
    assert again.replaces == first


def test_sealed_names_are_opened_only_by_who_may(sqlite_tiny: Tiny, policy: Policy, now: datetime) -> None:
    """Nobody learns by trying out who sits; each use of the right is in the ledger."""
    first = ask(sqlite_tiny, policy)
    plain = Viewer.system("clerk")
    for action in (renew, answers):
        with refused("panels.seals_closed"):
            action(sqlite_tiny, policy, viewer=plain)
    renew(sqlite_tiny, policy, easy(sqlite_tiny, first)[0])
    with sqlite_tiny.store.reading() as session:
        looks = session.scalars(
            select(LedgerEntry.subject).where(LedgerEntry.action == "panel.seals_opened")
        ).all()
    assert looks == [first, "M1-P2"]
    with on_day(sqlite_tiny.meets_on):
        renew(sqlite_tiny, policy, easy(sqlite_tiny, "M1-P2")[0], viewer=plain)


def test_under_a_draw_a_replacement_is_a_proposal_and_there_are_no_rounds(
    sqlite_tiny: Tiny, now: datetime
) -> None:
    """Nobody is chosen in another's place where the law draws."""
    drawn = changed("cn-title-national")
    first = ask(sqlite_tiny, drawn)
    done = renew(sqlite_tiny, drawn, easy(sqlite_tiny, first)[0])
    assert not done.answer.fileable
    assert "panels.proposal" in [note.code for note in done.notes]
    with refused("panels.not_fileable"):
        approve(sqlite_tiny.store, OFFICE, done.panel_code, policy=drawn)
    with refused("invitations.draw"):
        answers(sqlite_tiny, drawn)
    with refused("panels.too_many_locks"):
        renew(sqlite_tiny, drawn, chosen=[Choice("E05", "x")])


def test_rounds_of_invitations_are_kept_with_the_panel(tiny: Tiny, policy: Policy, now: datetime) -> None:
    """Begun, answered, replaced, seated; whoever declined has that on record."""
    first = ask(tiny, policy)
    begun = answers(tiny, policy)
    assert begun.invitations is not None
    assert (begun.replaces, begun.invitations.round) == (None, 1)
    assert record(tiny, first).invitations == begun.invitations.model_dump_json()
    people = seated(tiny, first)
    gone = easy(tiny, first)[0]
    rest = [code for code in people if code != gone]
    heard = [Heard(gone, False, "出差"), *(Heard(code, True) for code in rest)]
    second = answers(tiny, policy, *heard)
    assert (second.panel_code, second.replaces) == ("M1-P2", first)
    assert second.invitations is not None
    assert second.invitations.round == 2
    now_in = seated(tiny, "M1-P2")
    assert set(rest) <= set(now_in)
    new = set(now_in) - set(people)
    assert len(new) == 1
    done = answers(tiny, policy, *(Heard(code, True) for code in new))
    assert done.invitations is not None
    assert done.invitations.seated
    assert done.panel_code == "M1-P2"
    with tiny.store.reading() as session:
        service = session.scalars(select(Service)).one()
        assert (service.expert_id, service.outcome, service.panel) == (
            tiny.ids["expert"][gone],
            Outcome.DECLINED,
            first,
        )
    assert entries(tiny) == [
        ("panel.requested", first),
        ("panel.invited", first),
        ("panel.replaced", "M1-P2"),
        ("record", f"service/{service.id}"),
        ("panel.answered", "M1-P2"),
    ]
    assert show(tiny.store, Viewer.system("clerk"), "M1-P2").sealed


def test_a_replacement_between_rounds_keeps_who_accepted(
    sqlite_tiny: Tiny, policy: Policy, now: datetime
) -> None:
    """And the next step invites who came in."""
    first = ask(sqlite_tiny, policy)
    people = seated(sqlite_tiny, first)
    answers(sqlite_tiny, policy, *(Heard(code, True) for code in people))
    gone = easy(sqlite_tiny, first)[0]
    done = renew(sqlite_tiny, policy, gone)
    assert set(people) - {gone} <= set(seated(sqlite_tiny, done.panel_code))
    step = answers(sqlite_tiny, policy)
    assert step.panel_code == done.panel_code
    assert step.invitations is not None
    assert len(step.invitations.who("invited")) == 1
    assert len(step.invitations.who("released")) == 1


def test_when_nobody_can_be_invited_the_answers_are_kept(
    sqlite_tiny: Tiny, policy: Policy, now: datetime
) -> None:
    """On the panel that stands."""
    first = ask(sqlite_tiny, policy)
    others = [f"E{n:02}" for n in range(1, 12) if f"E{n:02}" not in seated(sqlite_tiny, first)]
    stuck = request(
        sqlite_tiny.store,
        OFFICE,
        **SITTING,
        policy=policy,
        limits=QUICK,
        exclusions=[Choice(code, "x") for code in others],
    )
    gone = easy(sqlite_tiny, stuck.panel_code)[0]
    done = answers(sqlite_tiny, policy, Heard(gone, False))
    assert done.answer.status == "infeasible"
    assert done.panel_code == stuck.panel_code
    assert done.invitations is not None
    assert len(done.invitations.who("declined")) == 1
    assert record(sqlite_tiny, stuck.panel_code).invitations is not None


def test_what_cannot_be_done_is_refused(sqlite_tiny: Tiny, policy: Policy, now: datetime) -> None:
    """Nothing to replace, another policy, strangers, another panel's code."""
    with refused("panels.nothing_to_replace"):
        renew(sqlite_tiny, policy, "E01")
    first = ask(sqlite_tiny, policy)
    with refused("panels.other_policy", policy="cn-title-jilin-2013"):
        renew(sqlite_tiny, changed("cn-title-jilin-2013", deputies_high=2), "E01")
    with refused("panels.locked_unknown"):
        renew(sqlite_tiny, policy, "E77")
    with refused("panels.locked_unknown"):
        answers(sqlite_tiny, policy, Heard("E77", True))
    with refused("panels.panel_unknown"):
        renew(sqlite_tiny, policy, "E01", panel="M1-P9")
    stranger = Viewer("stranger", frozenset({99}), opens_seals=True)
    with refused("panels.committee_unknown"):
        renew(sqlite_tiny, policy, "E01", viewer=stranger)
    assert entries(sqlite_tiny) == [("panel.requested", first)]


def test_groups_that_changed_ask_for_a_new_panel(sqlite_tiny: Tiny, policy: Policy, now: datetime) -> None:
    """The agenda now needs another group than the panel has."""
    ask(sqlite_tiny, policy)
    with sqlite_tiny.store.session() as session:
        for case in session.scalars(select(Case)):
            case.directed = True
    with refused("panels.groups_changed"):
        renew(sqlite_tiny, policy, "E01")


def test_two_at_once_do_not_overwrite_each_other(
    sqlite_tiny: Tiny, policy: Policy, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes second is told to try again."""
    first = ask(sqlite_tiny, policy)
    gone = easy(sqlite_tiny, first)[0]
    real = module.replace_members

    def slow(*given: Any, **more: Any) -> Any:
        monkeypatch.setattr(module, "replace_members", real)
        renew(sqlite_tiny, policy, gone)
        return real(*given, **more)

    monkeypatch.setattr(module, "replace_members", slow)
    with refused("panels.changed_meanwhile"):
        renew(sqlite_tiny, policy, easy(sqlite_tiny, first)[1])
    assert [action for action, _ in entries(sqlite_tiny)] == ["panel.requested", "panel.replaced"]
