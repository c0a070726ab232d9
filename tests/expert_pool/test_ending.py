"""Whose term or training ends soon: what was renewed, corrected, failed or belongs to others is not told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from tiny_registry import Tiny, entered

from expert_pool.ending import What, how_many_end, that_end
from expert_pool.registry import Membership, Pool, Step, Training
from expert_pool.viewer import Viewer

TODAY = date(2040, 1, 1)
SOON, LATER = TODAY + timedelta(20), TODAY + timedelta(900)


def test_what_ends_soon_is_told_by_day_unless_something_lasts_longer(tiny: Tiny) -> None:
    viewer = Viewer.system("office")
    with tiny.store.reading() as session:
        name = session.scalars(select(Pool.name).where(Pool.id == tiny.pool_id)).one()
    ids, pool_id = tiny.ids["expert"], tiny.pool_id

    def row(table: type[Any], code: str, on: int, until: date, **more: Any) -> Any:
        kept: dict[str, Any] = {"pool_id": pool_id, "step": Step.ADMITTED} if table is Membership else {}
        if table is Training:
            kept = {"course": "岗前培训", "passed": True}
        return table(
            expert_id=ids[code],
            holds_on=TODAY - timedelta(on),
            until=until,
            recorded_at=datetime(2025, 3, 1, tzinfo=UTC),
            recorded_by="office",
            organiser_id=tiny.organiser_id,
            **{**kept, **more},
        )

    first = row(Membership, "E01", 700, SOON + timedelta(1))
    wrong = row(Training, "E04", 300, SOON)
    entered(
        tiny,
        [
            first,
            row(Membership, "E02", 700, SOON),
            row(Membership, "E03", 700, SOON),
            row(Membership, "E03", 5, LATER),
            row(Membership, "E04", 700, LATER),
            row(Membership, "E05", 700, SOON, void=True),
            row(Training, "E01", 300, SOON),
            row(Training, "E02", 300, SOON, passed=False),
            row(Training, "E03", 300, SOON),
            row(Training, "E03", 10, LATER),
            wrong,
        ],
    )
    entered(tiny, [row(Training, "E04", 300, LATER, corrects_id=wrong.id)])
    with tiny.store.reading() as session:
        terms = that_end(session, viewer, What.TERMS, TODAY)
        assert [(one.code, one.until, one.about) for one in terms] == [
            ("E02", SOON, name),
            ("E01", SOON + timedelta(1), name),
        ]
        after = (terms[0].until, terms[0].row)
        assert that_end(session, viewer, What.TERMS, TODAY, after=after) == terms[1:]
        assert how_many_end(session, viewer, What.TERMS, TODAY) == (2, SOON)
        assert [one.code for one in that_end(session, viewer, What.TRAININGS, TODAY)] == ["E01"]
        assert how_many_end(session, viewer, What.TRAININGS, TODAY, days=10) == (0, None)
        stranger = Viewer("other", frozenset({tiny.organiser_id + 1_000}))
        assert [how_many_end(session, stranger, what, TODAY)[0] for what in What] == [0, 0]
