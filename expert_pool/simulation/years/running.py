"""The block `years` of a scenario, from its problems to its part of the result."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from expert_pool.policies.located import nearest
from expert_pool.simulation.reading import Scenario
from expert_pool.simulation.years.crew import Ran, Setting, committees_of, run_all
from expert_pool.simulation.years.document import YearsDoc
from expert_pool.simulation.years.figures import dry_of, figures
from expert_pool.simulation.years.ground import ground_of
from expert_pool.simulation.years.history import History, Node, meeting_places
from expert_pool.simulation.years.kept import Shelf
from expert_pool.simulation.years.planning import Enough, planned, settled_setting
from expert_pool.simulation.years.results import CommitteePart, LinePart, YearsPart
from solver.engines.race import Cancelled
from solver.errors import Fault
from solver.problem import Problem
from solver.progress import Reporter, silent

FOLDER = "years"
MOST = 200_000
"""More panels than this are not even begun."""


def checked_years(scenario: Scenario, years: YearsDoc, problems: Sequence[Problem]) -> int:
    """How many panels a block comes to. Raises Fault, with file and line, for what contradicts itself."""
    first, last = problems[0].on.year, problems[0].on.year + years.seasons - 1
    if len({problem.on.year for problem in problems}) > 1:
        raise Fault("years.several", scenario.at("base"))
    for i, line in enumerate(years.recruits):
        for name, year in (("from", line.from_), ("to", line.to)):
            if year is not None and not first < year <= last:
                where = scenario.at("years", "recruits", i, name)
                raise Fault("years.year_outside", where, year=year, first=first + 1, last=last)
        if line.from_ is not None and line.to is not None and line.to < line.from_:
            raise Fault(
                "years.crossed", scenario.at("years", "recruits", i, "to"), low=line.from_, high=line.to
            )
        if line.ages.high < line.ages.low:
            where = scenario.at("years", "recruits", i, "ages")
            raise Fault("years.crossed", where, low=line.ages.low, high=line.ages.high)
    codes = {code for problem in problems for code in problem.specialties.code}
    said = [new.code for new in years.specialties]
    for i, new in enumerate(years.specialties):
        where = scenario.at("years", "specialties", i)
        if new.like not in codes and new.like in said:
            raise Fault("years.like_new", where, added=new.code, name=new.like)
        if new.like not in codes:
            raise Fault("years.like_unknown", where, name=new.like, nearest=nearest(new.like, sorted(codes)))
        if new.code in codes or new.code in said[:i]:
            raise Fault("years.code_taken", where, name=new.code)
        if new.year > last:
            late = scenario.at("years", "specialties", i, "year")
            raise Fault("years.specialty_late", late, added=new.code, year=new.year, last=last)
    if years.plan is not None and years.sample is not None and years.sample < len(problems):
        raise Fault("years.plan_sampled", scenario.at("years", "plan"))
    committees = len(problems) if years.sample is None else min(years.sample, len(problems))
    count = committees * years.seasons * years.replications
    if count > MOST:
        raise Fault("years.too_many", scenario.at("years"), count=count, most=MOST)
    return count


def setting_of(scenario: Scenario, problems: Sequence[Problem]) -> Setting:
    """Everything the seasons follow from. Raises Fault for recruits that do not fit."""
    years = scenario.doc.years
    assert years is not None
    bare = _bare(scenario, years, problems)
    return settled_setting(bare, years.recruits, lambda at: scenario.at("years", "recruits", at))


def _bare(scenario: Scenario, years: YearsDoc, problems: Sequence[Problem]) -> Setting:
    return Setting(ground_of(problems), years, scenario.doc.seed or 0, scenario.doc.seconds)


def simulate_years(
    scenario: Scenario,
    problems: Sequence[Problem],
    versions: str,
    folder: Path | None = None,
    *,
    workers: int = 1,
    report: Reporter = silent,
    cancelled: Cancelled = lambda: False,
) -> YearsPart:
    """The years ahead. `versions` of what decides names outcomes kept in `folder`: what was settled before is taken over."""
    years = scenario.doc.years
    assert years is not None
    checked_years(scenario, years, problems)
    if folder is not None:
        (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    shelf = Shelf(None if folder is None else folder / FOLDER, versions)
    bare = _bare(scenario, years, problems)
    setting = settled_setting(bare, years.recruits, lambda at: scenario.at("years", "recruits", at))
    numbers = range(years.replications)

    def ran(asked: Setting, enough: Enough = lambda node, fated: False) -> list[Ran]:
        return run_all(
            asked, numbers, shelf, workers=workers, enough=enough, report=report, cancelled=cancelled
        )

    runs = ran(setting)
    plan = None
    if years.plan is not None and not cancelled():

        def again(asked: Setting, enough: Enough) -> list[Ran] | None:
            found = ran(asked, enough)
            return None if cancelled() else found

        found = planned(bare, years.recruits, runs, years.plan, again)
        plan = found.part
    return _part(setting, runs, plan)


def _part(setting: Setting, runs: Sequence[Ran], plan: object) -> YearsPart:
    ground, years = setting.ground, setting.years
    lines: list[LinePart] = []
    numbers: dict[tuple[int, Node], int] = {}
    for ran in runs:
        for node, one in sorted(ran.settled.items()):
            numbers[ran.number, node] = len(lines)
            lines.append(
                LinePart(
                    number=len(lines),
                    replication=ran.number,
                    year=ground.year + node[0],
                    committee=node[1],
                    key=one.key,
                    there=one.there,
                    declined=one.declined,
                    eligible=one.eligible,
                    outcome=one.fated,
                )
            )
    count = len(ground.templates)
    sampled = None if years.sample is None or years.sample >= count else years.sample
    asked = sum(len(ran.committees) for ran in runs) * years.seasons
    first = [
        min((ground.year + n[0] for n, one in r.settled.items() if one.fated.fate == "dry"), default=None)
        for r in runs
    ]
    return YearsPart.model_validate(
        {
            "years": [ground.year + k for k in range(years.seasons)],
            "replications": years.replications,
            "sampled": sampled,
            "committees": [
                CommitteePart(
                    number=at, committee=t.problem.committee, meeting=t.problem.meeting, title=t.problem.title
                )
                for at, t in enumerate(ground.templates)
            ],
            "figures": figures(setting, runs),
            "dry": dry_of(setting, runs, numbers),
            "first_dry": first,
            "plan": plan,
            "panels": lines,
            "proven": sum(line.outcome.settled for line in lines),
            "complete": len(lines) == asked,
        }
    )


def problem_behind(setting: Setting, part: YearsPart, number: int) -> Problem:
    """The problem behind a line, made from the panels that the document says sat before it: over all people of its committee
    who are there, and those whom its gates let in. Raises Fault where there is no such line."""
    if not 0 <= number < len(part.panels):
        raise Fault("scenario.point_unknown", str(number), number=number, count=len(part.panels))
    line = part.panels[number]
    own = committees_of(setting, line.replication)
    order = setting.order(meeting_places(setting.ground), own)
    history = History(setting.ground, setting.years.seasons)
    for other in part.panels:
        node = (other.year - setting.ground.year, other.committee)
        if other.replication != line.replication:
            continue
        if other.number == number:
            laid = setting.replication(line.replication).laid(*node, history.before(node, order))
            return laid.asked()
        history.take(node, other.outcome)
    raise AssertionError(number)
