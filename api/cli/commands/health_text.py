"""The health of a pool for people."""

from typing import TYPE_CHECKING, Any

from api.cli.face import Face, table

if TYPE_CHECKING:
    from expert_pool.reevaluation.health.document import Health, Profile

MOST = 15


def health_told(face: Face, health: "Health") -> list[Any]:
    """Members, thin specialties, the years ahead, load, and whom to take in."""
    lines: list[Any] = [
        face.say(
            "cli.health.head",
            pool=health.pool,
            name=health.name,
            as_of=health.as_of.isoformat(),
            members=health.members,
            drawable=health.drawable,
        ),
        *thin_told(face, health),
    ]
    years = [
        (one.first.isoformat(), one.last.isoformat(), f"{one.members:,}", f"{one.terms_end:,}")
        for one in health.forecast
    ]
    left = [(f"{one.retire:,}", f"{one.leave:,}", f"{one.left:,}") for one in health.forecast]
    rows = [(*first, *second) for first, second in zip(years, left, strict=True)]
    heads = ("from", "to", "members", "terms_end", "retire", "leave", "left")
    lines += [f"\n{face.say('cli.health.forecast')}", table(_heads(face, *heads), rows, numbers=True)]
    load = health.load
    if load.gini is not None:
        chance = load.gini_by_chance
        lines.append(
            face.say(
                "cli.health.load",
                seats=load.seats,
                since=load.since.isoformat(),
                gini=f"{load.gini:.2f}",
                low=f"{chance.low:.2f}" if chance else None,
                high=f"{chance.high:.2f}" if chance else None,
            )
        )
    plan = health.plan
    settled = plan.count == plan.bound
    lines.append(
        face.say(
            f"cli.health.plan.{plan.status}",
            count=plan.count or None,
            bound=plan.bound if plan.status == "undecided" or not settled else None,
            fewest=settled,
        )
    )
    left_out = sum(one.status == "unasked" for one in plan.meetings)
    if left_out:
        lines.append(face.say("cli.health.plan.left_out", meetings=left_out))
    if plan.profiles:
        profiles = [
            (
                str(one.count),
                one.specialty,
                one.name,
                _asked(face, one),
            )
            for one in plan.profiles[:MOST]
        ]
        lines.append(table(_heads(face, "count", "specialty", "name", "facts"), profiles))
    invited = health.invitations.listed
    if invited:
        lines.append(face.say("cli.health.invite", shown=min(len(invited), MOST), of=len(invited)))
        asked = [
            (
                str(one.rank),
                one.expert,
                one.employer or "—",
                ", ".join(one.specialties),
                "; ".join(face.say(reason.code, **reason.params) for reason in one.reasons) or "—",
            )
            for one in invited[:MOST]
        ]
        lines.append(table(_heads(face, "rank", "expert", "employer", "specialties", "why"), asked))
    lines += [face.say(note.code, **note.params) for note in health.notes]
    return lines


def thin_told(face: Face, health: "Health") -> list[Any]:
    """The specialties with too few people to draw from, the thinnest first."""
    thin = sorted((one for one in health.fields if one.thin), key=lambda one: one.supply - one.seats)
    if not thin:
        return [face.say("cli.health.not_thin")]
    rows = [
        (one.specialty, one.name, str(one.supply), f"{one.seats:.1f}", str(one.lasting))
        for one in thin[:MOST]
    ]
    heads = _heads(face, "specialty", "name", "supply", "seats", "lasting")
    return [f"\n{face.say('cli.health.thin', shown=len(rows), of=len(thin))}", table(heads, rows)]


def _asked(face: Face, profile: "Profile") -> str:
    """What is asked of a recruit, in words."""
    said = []
    for name, value in profile.facts.items():
        if name == "rank":
            shown = face.say("report.title_from", rank=value)
        else:
            shown = face.say(f"sector.{value}") if name == "sector" else str(value)
        said.append(f"{face.say(f'fact.{name}')} {shown}")
    return ", ".join(said)


def _heads(face: Face, *codes: str) -> list[str]:
    return [face.say(f"cli.health.column.{code}") for code in codes]
