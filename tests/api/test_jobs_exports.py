"""Exports of runs whose worker is lost: one export, one serial number, and the ledger tells of the file that arrived."""

from __future__ import annotations

import io
import zipfile
from hashlib import sha256
from typing import Any

import pytest
from cycle_office import computed, misbehave, on, person, sound
from sqlalchemy import select
from working_office import ASKED, WAIT, Office, clerk, done, working

from api.jobs.inline import InlineEngine
from expert_pool import ledger, runs
from expert_pool.accounts.rights import Role
from expert_pool.imports import exporting
from expert_pool.privacy import exports
from expert_pool.reevaluation import cycle
from expert_pool.registry import Export, ExportFile, LedgerEntry, PanelRecord, RunRecord
from expert_pool.runs import Hold, Superseded
from expert_pool.viewer import Viewer

WHOLE = {"form": "csv", "purpose": "年度备案"}
BEGUN, FINISHED = "export.begun", "export.finished"


@pytest.fixture
def office(http: Any) -> Office:
    """A service whose runs are carried at once."""
    return working(http)


def actions(office: Office) -> list[str]:
    """What the ledger tells of exports, in order."""
    told = select(LedgerEntry.action).where(LedgerEntry.action.like("export.%")).order_by(LedgerEntry.id)
    with office.store.reading() as session:
        return list(session.scalars(told))


def lose(office: Office, monkeypatch: pytest.MonkeyPatch, place: str, ask: dict[str, str], who: Any) -> str:
    """Have a run worked on by somebody who is lost before its end; its code, waiting again."""
    with monkeypatch.context() as patched:
        patched.setattr(runs, "finish", _lost)
        code = str(who.post(place, json=ask).json()["code"])
    with office.store.session() as session:
        runs.hand_back(session, Hold(code, 1), lost=True)
    return code


def _lost(*_: Any, **__: Any) -> None:
    raise Superseded("killed")


def again(office: Office, code: str) -> RunRecord:
    """The run, carried by somebody else to its end."""
    InlineEngine(office.store).submit(code, "import")
    with office.store.reading() as session:
        return runs.find(session, None, code)


def arrived(office: Office, code: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Result and files of a run."""
    with office.store.reading() as session:
        run = runs.find(session, None, code)
        came = runs.outcome(session, None, run, key=office.store.key)
        assert came is not None
        assert came.fault is None, came.fault
        files = {
            name: runs.made_file(session, None, run, name, key=office.store.key).content
            for name in came.files
        }
    return dict(came.result or {}), files


def test_an_export_whose_file_was_lost_is_begun_again_under_its_number(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = office.sign_in("pool.zhou", Role.POOL_MANAGER)
    code = lose(office, monkeypatch, "/api/v1/tables/exports", WHOLE, manager)
    assert actions(office) == [BEGUN, FINISHED]
    assert again(office, code).attempt == 2
    assert actions(office) == [BEGUN, FINISHED, BEGUN, FINISHED]
    result, files = arrived(office, code)
    with office.store.reading() as session:
        (export,) = session.scalars(select(Export)).all()
        assert export.serial == result["serial"]
        assert export.finished_at is not None
        assert ledger.verify(session) == []
    assert result["serial"].encode() in b"".join(_unpacked(files["tables.zip"]))


def _unpacked(archive: bytes) -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return [opened.read(name) for name in opened.namelist()]


def test_an_export_that_was_cut_off_is_carried_on(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = office.sign_in("pool.zhou", Role.POOL_MANAGER)
    with monkeypatch.context() as patched:
        patched.setattr(exporting, "_write_csv", _lost, raising=False)
        patched.setattr("expert_pool.privacy.exports.finish", _lost)
        code = str(manager.post("/api/v1/tables/exports", json=WHOLE).json()["code"])
    with office.store.session() as session:
        runs.hand_back(session, Hold(code, 1), lost=True)
    assert actions(office) == [BEGUN]
    again(office, code)
    assert actions(office) == [BEGUN, FINISHED]
    with office.store.reading() as session:
        assert len(session.scalars(select(Export)).all()) == 1


def test_papers_that_were_lost_are_made_again_and_the_ledger_knows_those_that_arrived(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = done(clerk(office).post("/api/v1/panels", json=ASKED, headers=WAIT))["panel"]
    place = f"/api/v1/panels/{panel}/documents"
    code = lose(office, monkeypatch, place, {"purpose": "会议材料"}, clerk(office))
    again(office, code)
    result, files = arrived(office, code)
    with office.store.reading() as session:
        assert session.scalars(select(PanelRecord.code)).all() == [panel]
        assert session.scalars(select(Export.serial)).all() == [result["serial"]]
        known = set(session.scalars(select(ExportFile.sha256)))
        assert {sha256(content).hexdigest() for content in files.values()} <= known
        assert ledger.verify(session) == []


def test_letters_of_a_cycle_that_were_lost_leave_again_under_their_number(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = office.http.tiny
    misbehave(tiny)
    cycle_code = computed(tiny)
    with on(0), office.store.session() as session:
        cycle.notify(session, person(tiny, "clerk"), office.store.key, cycle_code)
    manager = office.sign_in("pool.zhou", Role.POOL_MANAGER)
    place = f"/api/v1/cycles/{cycle_code}/letters"
    code = lose(office, monkeypatch, place, {"purpose": "寄送告知书", "kind": "proposal"}, manager)
    again(office, code)
    result, files = arrived(office, code)
    letters = _named(files[result["file"]])
    assert len(letters) == result["letters"] == 8
    assert all(result["serial"].encode() in b"".join(_unpacked(one)) for one in letters.values())
    with office.store.reading() as session:
        assert session.scalars(select(Export.serial)).all() == [result["serial"]]
        known = set(session.scalars(select(ExportFile.sha256)))
        assert {sha256(content).hexdigest() for content in letters.values()} <= known
        sound(session)


def _named(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_only_who_began_an_export_carries_it_on(office: Office) -> None:
    one, other = Viewer.system("one"), Viewer.system("other")
    with office.store.session() as session:
        stamp = exports.begin(session, one, purpose="年度备案", content="tables", form="csv")
        carried = exports.begin(session, one, purpose="x", content="tables", form="csv", serial=stamp.serial)
        assert carried == stamp
        with pytest.raises(Exception, match=r"privacy\.export_unknown"):
            exports.begin(session, other, purpose="年度备案", content="", form="", serial=stamp.serial)
