"""The panel builder: a meeting and a policy, rules set anew with what follows at once, and the request itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from sqlalchemy import select
from starlette.responses import Response

from api.http.access import allowed
from api.http.problems import language_of, sentence
from api.http.routes.previews import preparations
from api.http.service import Served, Service
from api.page.answering import router as pages
from api.page.controls import controls, written
from api.page.names import view_without_panel
from api.page.rendering import render
from expert_pool import clock, previewing
from expert_pool.accounts import Principal, Right
from expert_pool.desk import PlannedMeeting, latest_meetings, meeting_named, meetings_ahead
from expert_pool.panels import DEFAULT_POLICY
from expert_pool.policies.load import preset, presets
from expert_pool.policies.policy import Override, Policy
from expert_pool.policies.settable import FIELDS, read_setting, settables
from expert_pool.registry import Committee
from expert_pool.snapshots import Choice
from expert_pool.viewer import Viewer, visible
from solver.errors import Fault

router = pages()
_Office = Annotated[Principal, Depends(allowed(Right.PANELS_REQUEST))]
_Codes = Annotated[list[str], Query(max_length=200)]
_SET = "set."
_MOST = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of the page says: the meeting, the policy with what is set otherwise, decisions about persons."""

    meeting: PlannedMeeting
    level: str
    preset: str
    settings: Mapping[str, Any]
    locks: tuple[str, ...]
    exclusions: tuple[str, ...]

    def policy(self, actor: str) -> Policy:
        """The policy with the settings as overrides. Raises Fault where it does not take one."""
        today = clock.today()
        return preset(self.preset, [Override(n, v, actor, today, "-") for n, v in self.settings.items()])

    def request(self, viewer: Viewer) -> previewing.Request:
        return previewing.Request(
            self.meeting.committee,
            self.meeting.code,
            self.policy(viewer.actor),
            tuple(_choice(code) for code in self.locks),
            tuple(_choice(code) for code in self.exclusions),
        )


@router.get("/panels/new")
def new_panel_page(
    request: Request,
    asks: _Office,
    service: Served,
    meeting: Annotated[str | None, Query(max_length=200)] = None,
    policy: Annotated[str, Query(max_length=200)] = DEFAULT_POLICY,
    lock: _Codes = [],  # noqa: B006
    exclude: _Codes = [],  # noqa: B006
) -> Response:
    """Which meeting; then its rules, and what follows from them."""
    viewer = asks.viewer(Right.PANELS_REQUEST)
    lang = language_of(request)
    if not meeting:
        with service.store.reading() as session:
            today = clock.today()
            ahead = meetings_ahead(session, viewer, today)
            held = [one for one in latest_meetings(session, viewer, today) if one.panel is None]
        return render(request, "builder_meetings.html", asks, ahead=ahead, held=held)
    asked = _asked(request, service, viewer, meeting, policy, lock, exclude)
    own = preset(asked.preset)
    shown = list(controls(asked.preset, asked.level, asked.settings, lang))
    return render(
        request,
        "builder.html",
        asks,
        meeting=asked.meeting,
        asked=asked,
        policies=[(name, preset(name).title[lang]) for name in presets()],
        chosen=own,
        fields=[(field, [c for c in shown if c.one.field == field]) for field in FIELDS],
        locks_most=own.locks_most,
        compose=own.procedure == "compose",
    )


@router.get("/panels/new/preview")
def preview_part(
    request: Request,
    asks: _Office,
    service: Served,
    meeting: Annotated[str, Query(max_length=200)],
    policy: Annotated[str, Query(max_length=200)] = DEFAULT_POLICY,
    lock: _Codes = [],  # noqa: B006
    exclude: _Codes = [],  # noqa: B006
    bounded: bool = True,
) -> Response:
    """What follows from the rules as they are set, as a part of the builder."""
    viewer = asks.viewer(Right.PANELS_REQUEST)
    lang = language_of(request)
    asked = _asked(request, service, viewer, meeting, policy, lock, exclude)
    try:
        found = preparations(request).preview(service.store, viewer, asked.request(viewer), bounded=bounded)
    except Fault as fault:
        return render(
            request, "_preview.html", asks, fault=sentence(fault, lang), found=None, asked=asked, view=None
        )
    return render(
        request,
        "_preview.html",
        asks,
        fault=None,
        found=found,
        asked=asked,
        view=view_without_panel(lang, found.problem, found.gates),
        query=request.url.query,
    )


@router.get("/panels/new/barred")
def barred_page(
    request: Request,
    asks: _Office,
    service: Served,
    meeting: Annotated[str, Query(max_length=200)],
    policy: Annotated[str, Query(max_length=200)] = DEFAULT_POLICY,
    lock: _Codes = [],  # noqa: B006
    exclude: _Codes = [],  # noqa: B006
    gate: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """Whom one gate bars, or whom none does: by pseudonym, with the fact that the gate asks about."""
    viewer = asks.viewer(Right.PANELS_REQUEST)
    asked = _asked(request, service, viewer, meeting, policy, lock, exclude)
    kept = preparations(request)
    wanted = asked.request(viewer)
    found = kept.preview(service.store, viewer, wanted, bounded=False)
    people = kept.barred(service.store, viewer, wanted, gate)
    back = "&".join(part for part in request.url.query.split("&") if not part.startswith(("gate=", "lang=")))
    return render(
        request,
        "builder_barred.html",
        asks,
        asked=asked,
        view=view_without_panel(language_of(request), found.problem, found.gates),
        gate=gate,
        people=people[:_MOST],
        total=len(people),
        facts=list(people[0].facts) if people else [],
        back=back,
    )


def _asked(
    request: Request,
    service: Service,
    viewer: Viewer,
    meeting: str,
    policy: str,
    locks: list[str],
    exclusions: list[str],
) -> Asked:
    """What an address asks for. Raises Fault `panels.meeting_unknown`, `policy.unknown`."""
    with service.store.reading() as session:
        found = meeting_named(session, viewer, meeting)
        if found is None:
            raise Fault("panels.meeting_unknown", meeting, committee=None, known=None)
        level = session.scalar(
            select(Committee.level).where(Committee.code == found.committee, *visible(viewer, Committee))
        )
    known = {one.parameter.name: one for one in settables(policy, str(level))}
    settings = {}
    for key, text in request.query_params.items():
        name = key.removeprefix(_SET)
        if not key.startswith(_SET) or name not in known:
            continue
        one = known[name]
        if text == "" or text == written(one, one.parameter.at(str(level))):
            continue
        settings[name] = read_setting(one.parameter.type, text)
    return Asked(found, str(level), policy, settings, tuple(locks), tuple(exclusions))


def _choice(code: str) -> Choice:
    return Choice(code, "-")
