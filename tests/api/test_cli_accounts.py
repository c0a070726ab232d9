"""account create|list|grant|revoke|disable|reset-password|reset-totp, for the machine's owner."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import text

from api.cli.main import run
from expert_pool import ledger
from expert_pool.accounts import by_session
from expert_pool.accounts.signing_in import Asked, sign_in
from expert_pool.store import Store, open_store


@pytest.fixture
def ask(sqlite_tiny: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs an account command with --json on the small registry: its exit code and its document."""
    monkeypatch.setenv("EXPERT_POOL_DATABASE", sqlite_tiny.store.url)
    monkeypatch.setenv("EXPERT_POOL_KEY", sqlite_tiny.store.key.to_text())

    def asked(*words: str) -> tuple[int, Any]:
        capsys.readouterr()
        code = run(["account", *words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return asked


def test_an_account_from_making_to_disabling(ask: Any, sqlite_store: Store) -> None:
    code, made = ask("create", "Hr-Office", "--role", "committee_office", "--organiser", "HR")
    assert (code, made["name"], made["state"]) == (0, "hr-office", "due")
    begun = sign_in(sqlite_store, Asked("hr-office", made["password"], None, "", None))
    assert ask("create", "hr-office")[1]["error"]["code"] == "account.name_taken"
    code, refused = ask("grant", "hr-office", "pool_manager", "--organiser", "HR")
    assert (code, refused["error"]["code"]) == (2, "access.duties_joined")
    assert ask("grant", "hr-office", "boss")[1]["error"]["code"] == "cli.account.role_unknown"
    code, granted = ask("grant", "hr-office", "policy_editor")
    assert [grant["role"] for grant in granted["grants"]] == ["committee_office", "policy_editor"]
    code, left = ask("revoke", "hr-office", granted["grants"][1]["code"])
    assert [(grant["role"], grant["organiser"]) for grant in left["grants"]] == [("committee_office", "HR")]
    code, reset = ask("reset-password", "hr-office")
    assert reset["password"] != made["password"]
    with sqlite_store.reading() as session:
        assert by_session(session, begun.token) is None
    assert ask("reset-totp", "hr-office")[0] == 0
    assert ask("disable", "hr-office")[1]["state"] == "disabled"
    assert ask("disable", "hr-office", "--undo")[1]["state"] == "due"
    code, listed = ask("list", "HR-")
    assert (code, [account["name"] for account in listed["accounts"]]) == (0, ["hr-office"])
    with sqlite_store.reading() as session:
        assert ledger.verify(session) == []


@pytest.mark.parametrize(("lang", "said"), [("zh", "只显示这一次"), ("en", "shown this once")])
def test_people_are_told_in_words(
    ask: Any, capsys: pytest.CaptureFixture[str], sqlite_store: Store, lang: str, said: str
) -> None:
    assert run(["account", "create", "clerk", "--lang", lang]) == 0
    assert said in capsys.readouterr().out
    assert run(["account", "grant", "clerk", "draw_supervisor", "--committee", "C1", "--lang", lang]) == 0
    assert "C1" in capsys.readouterr().out
    assert run(["account", "list", "--lang", lang]) == 0
    assert "clerk" in capsys.readouterr().out


def test_the_owner_can_reset_the_only_administrator(ask: Any, sqlite_store: Store) -> None:
    assert ask("create", "chief", "--role", "administrator")[0] == 0
    code, refused = ask("disable", "chief")
    assert (code, refused["error"]["code"]) == (2, "account.last_administrator")
    assert ask("reset-password", "chief")[0] == 0
    with open_store(sqlite_store.url, key=sqlite_store.key) as store, store.reading() as session:
        assert ledger.verify(session) == []


def test_accounts_of_before_are_looked_at_adopted_and_named_by_every_verification(
    ask: Any, capsys: pytest.CaptureFixture[str], sqlite_store: Store
) -> None:
    with sqlite_store.session() as session:
        session.execute(
            text(
                "insert into account (id, name, language, created_at, created_by, totp_step)"
                " values (71, 'wang', 'zh', '2025-01-01 00:00:00', 'founder', 0)"
            )
        )

    def ledgers(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        code = run(["ledger", *words, "--lang", "en"])
        return code, " ".join(capsys.readouterr().out.split())

    code, said = ledgers("verify")
    assert (code, "ledger adopt --dry-run" in said) == (5, True)
    code, said = ledgers("adopt", "--dry-run")
    assert (code, "account 71 wang wang 2025-01-01 00:00 founder" in said) == (0, True)
    assert ledgers("verify")[0] == 5
    assert "1 row adopted" in ledgers("adopt")[1]
    code, said = ledgers("verify")
    assert code == 0
    assert "1 row from before the ledger attested accounts was adopted by local at" in said
    assert "ledger adopt" not in said
    assert "Nothing was written" in ledgers("adopt")[1]
