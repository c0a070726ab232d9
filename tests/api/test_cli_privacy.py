"""key, privacy and seal on the command line: one life of a registry from end to end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tiny_registry import build_tiny

from api.cli.main import run
from expert_pool.privacy.sealing import key_files
from expert_pool.store import open_store


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command with --json in an empty folder over the small registry; gives its code and its document."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EXPERT_POOL_LANG", "en")
    with open_store("expert-pool.db") as store:
        build_tiny(store)
    capsys.readouterr()

    def asked(*arguments: str) -> tuple[int, Any]:
        code = run([*arguments, "--json"])
        said = capsys.readouterr()
        return code, json.loads(said.out) if said.out else said.err

    return asked


def test_the_key_is_rotated_and_everything_goes_on(ask: Any, tmp_path: Path) -> None:
    code, done = ask("key", "rotate")
    assert (code, done["sealed"], done["finished_earlier"]) == (0, {"expert.national_id_sealed": 12}, False)
    assert Path(done["retired"]).exists()
    assert ask("privacy", "unmask", "E01", "--purpose", "call them", "--as", "clerk")[1]["fields"] == {
        "national_id": "22010119660101001X",
        "phone": None,
    }
    looks = ask("privacy", "looks", "E01")[1]["looks"]
    assert [(look["actor"], look["purpose"]) for look in looks] == [("clerk", "call them")]
    assert ask("key", "rotate", "--key-file", str(tmp_path / "expert-pool.db.key"))[1]["error"]["code"] == (
        "key.rotation_same"
    )
    assert ask("ledger", "verify")[1]["holds"] is True


def test_an_export_is_traced(ask: Any, tmp_path: Path) -> None:
    code, done = ask("export", "out", "--purpose", "yearly check")
    assert code == 0
    traced = ask("privacy", "trace", "out/experts.csv")[1]
    assert (traced["exact"], traced["export"]["serial"]) == (True, done["serial"])
    assert [each["serial"] for each in ask("privacy", "exports")[1]["exports"]] == [done["serial"]]
    assert ask("export", "out", "--purpose", " ")[1]["error"]["code"] == "privacy.purpose_missing"
    assert ask("export", "out")[0] == 2


def test_erasure_takes_two_people_and_the_verifier_tells_erased_from_tampered(ask: Any) -> None:
    assert ask("privacy", "erase", "E01", "--dry-run")[1]["holds"][0]["code"] == "privacy.hold_member"
    asked = ask("privacy", "erase", "E12", "--note", "letter", "--as", "clerk")[1]
    assert ask("privacy", "confirm", asked["erasure"], "--as", "clerk")[1]["error"]["code"] == (
        "privacy.same_person"
    )
    assert ask("privacy", "confirm", asked["erasure"], "--as", "head")[1]["state"] == "done"
    code, verified = ask("ledger", "verify")
    assert (code, verified["holds"]) == (0, True)
    assert "nobody tampered" in verified["erased"][0]["message"]
    again = ask("privacy", "refuse", asked["erasure"], "--why", "x")
    assert again[1]["error"]["code"] == "privacy.erasure_decided"


def test_retention_says_what_is_over_and_does_it_when_told(ask: Any, tmp_path: Path) -> None:
    rules = tmp_path / "r.yaml"
    rules.write_text("kinds: {expert: {years: 0}}\n")
    shown = ask("privacy", "retention", "--rules", str(rules))[1]
    assert (shown["done"]["dry_run"], shown["done"]["proposed"]) == (True, ["E12"])
    assert ask("privacy", "retention", "--rules", str(rules), "--apply")[1]["done"]["proposed"] == ["E12"]
    assert ask("privacy", "retention")[1]["done"]["unstated"] == ["expert", "service"]


def test_supervisors_keys_boxes_and_shares_travel_as_files(
    ask: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_files, "_COST", {"iterations": 1, "lanes": 1, "memory_cost": 64})
    monkeypatch.setenv("EXPERT_POOL_SEAL_PASSWORD", "correct horse battery")
    for name in ("a", "b"):
        public = ask("seal", "key", f"{name}.json")[1]["public_key"]
        assert ask("seal", "register", name, public, "--organiser", "HR")[0] == 0
    missing = ask("seal", "request", "C1", "M1", "--supervisor", "a", "--supervisor", "z", "--needed", "2")
    assert missing[1]["error"]["code"] == "seal.supervisor_unknown"
    assert ask("seal", "show", "M1-P1")[1]["error"]["code"] == "panels.panel_unknown"
    (tmp_path / "bad.json").write_text('{"format": "seal-share/1"}')
    assert ask("seal", "release", "bad.json")[1]["error"]["code"] == "seal.document_malformed"
    assert ask("seal", "retire", "a")[1]["retired"] is True
