"""Work that may be waited for answers as the description says, whichever route it is."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel
from working_office import WAIT, Office, working

from api.http.accepting import RunResult
from api.http.routes.privacy import RetentionDone
from api.http.routes.tables import TablesExported, TablesImported
from expert_pool.accounts.rights import Role

API = "/api/v1"
GOOD = "expert,event,points,holds_on\nE01,迟到,-5,2026-01-02\n".encode()
BAD = "expert,event,points,holds_on\nE01,迟到,-5,yesterday\n".encode()


@pytest.fixture
def office(http: Any) -> Office:
    return working(http)


def read(answer: Any, model: type[BaseModel]) -> Any:
    """The result, which is of the shape that the route describes."""
    assert answer.status_code == 200, answer.text
    told: Any = RunResult[model].model_validate(answer.json())  # type: ignore[valid-type]
    assert told.state == "done"
    return told.result


def test_every_operation_that_waits_describes_its_result(described: dict[str, Any]) -> None:
    waits = []
    for place, way in described["paths"].items():
        for what in way.values():
            if any(each["name"] == "prefer" for each in what.get("parameters", ())):
                waits.append(place)
                shape = what["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
                assert shape.rpartition("/")[2].startswith("RunResult"), place
    assert len(waits) > 40


def test_what_is_waited_for_is_as_described(office: Office) -> None:
    manager = office.sign_in("pool.a", Role.POOL_MANAGER)
    operator = office.sign_in("root", Role.ADMINISTRATOR)
    file = {"file": ("credits.csv", GOOD)}
    went = read(manager.post(f"{API}/tables/imports", files=file, headers=WAIT), TablesImported)
    assert [(one.sheet, one.new) for one in went.sheets] == [("credits", 1)]
    file = {"file": ("credits.csv", BAD)}
    wrong = read(manager.post(f"{API}/tables/imports", files=file, headers=WAIT), TablesImported)
    assert (wrong.ok, [(one.row, one.column) for one in wrong.errors]) == (False, [(2, "holds_on")])
    sent = {"purpose": "audit", "form": "csv"}
    out = read(manager.post(f"{API}/tables/exports", json=sent, headers=WAIT), TablesExported)
    assert (out.rows["credits"], out.file) == (2, "tables.zip")
    swept = operator.post(f"{API}/privacy/retention/runs", json={"dry_run": True}, headers=WAIT)
    assert read(swept, RetentionDone).dry_run
    run = operator.post(f"{API}/schedules/runs.retention/runs", headers=WAIT)
    assert run.json()["result"] == {"forgotten": 0}
