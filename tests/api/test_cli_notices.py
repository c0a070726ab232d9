"""`expert-pool notice`: channels from files, a test that is really sent, what waits."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from notice_servers import free_port, gateway, mail_server
from sqlalchemy import select

from api.cli.main import run
from expert_pool.keys import Key
from expert_pool.registry import Expert, LedgerEntry, Training
from expert_pool.store import open_store

KEY = Key(bytes(range(32)))


@pytest.fixture
def notice(tiny_template: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Any:
    """Runs `expert-pool notice ...` on the small registry; gives the exit code and the document."""
    import shutil

    shutil.copy(tiny_template[0], tmp_path / "registry.db")
    monkeypatch.setenv("EXPERT_POOL_KEY", KEY.to_text())
    monkeypatch.setenv("EXPERT_POOL_PRIVATE_HOSTS", "localhost")
    monkeypatch.setenv("EXPERT_POOL_FILES", str(tmp_path / "files"))
    monkeypatch.chdir(tmp_path)

    def command(*words: str, lang: str = "en") -> tuple[int, Any, str]:
        database = ("--database", str(tmp_path / "registry.db"), "--as", "owner")
        code = run(["notice", *words, *database, "--json", "--lang", lang])
        said = capsys.readouterr()
        return code, json.loads(said.out), said.err

    return command


def settings(tmp_path: Path, **given: Any) -> tuple[str, str]:
    (tmp_path / "channel.json").write_text(json.dumps(given), "utf-8")
    return "--settings", str(tmp_path / "channel.json")


def test_a_mail_channel_is_set_up_tested_and_taken_away(notice: Any, tmp_path: Path) -> None:
    with mail_server() as mails:
        given = {"host": "localhost", "port": mails.port, "security": "plain", "sender": "noreply@pool.cn"}
        assert notice("channels", "set", "mail", *settings(tmp_path, **given, password="geheim"))[0] == 0
        code, listed, _ = notice("channels")
        assert (code, listed["channels"][0]["settings"]["password_set"]) == (0, True)
        assert "geheim" not in json.dumps(listed)
        code, tested, _ = notice("channels", "test", "mail", "--to", "me@b.cn")
        assert (code, tested["state"]) == (0, "sent")
    assert mails.got[0]["To"] == "me@b.cn"
    assert "owner" in str(mails.got[0].get_body(("plain",)).get_content())  # type: ignore[union-attr]
    code, tested, _ = notice("channels", "test", "mail", "--to", "me@b.cn")
    assert (code, tested["state"], tested["trouble"]) == (5, "waiting", "notices.mail_unreachable")
    assert [one["state"] for one in notice("list")[1]["deliveries"]] == ["waiting", "sent"]
    assert notice("list", "--state", "dead", "--medium", "mail")[1]["deliveries"] == []
    assert notice("channels", "remove", "mail")[0] == 0
    with open_store(str(tmp_path / "registry.db"), key=KEY) as store, store.reading() as session:
        entries = session.scalars(select(LedgerEntry.action).where(LedgerEntry.actor == "owner")).all()
    assert entries == ["notices.channel_set", "notices.channel_removed"]


def test_a_gateway_s_secret_is_shown_once(notice: Any, tmp_path: Path) -> None:
    with gateway() as posts:
        given = settings(tmp_path, url=f"http://localhost:{posts.port}/")
        secret = notice("channels", "set", "sms", *given)[1]["secret"]
        assert secret.startswith("whsec_")
        assert notice("channels", "set", "sms", *given)[1]["secret"] is None
        assert notice("channels", "set", "sms", *given, "--new-secret")[1]["secret"] not in (None, secret)
        assert notice("channels", "test", "sms", "--to", "138 0000 1234")[0] == 0
    assert len(posts.got[0][1]["webhook-signature"].split(" ")) == 2


def test_what_ends_is_told_and_written_as_files(notice: Any, tmp_path: Path) -> None:
    from expert_pool import clock

    with clock.fixed(clock.now()):  # one day from the first look to the last
        assert notice("channels", "set", "file", *settings(tmp_path, form="json"))[0] == 0
        with open_store(str(tmp_path / "registry.db"), key=KEY) as store, store.session() as session:
            who = session.scalars(select(Expert.id).where(Expert.code == "E01")).one()
            for row in session.scalars(select(Training)):
                row.until = clock.today() if row.expert_id == who else date(2099, 12, 31)
        code, told, _ = notice("expiries")
        assert (code, told["offices"]["training.expiring"], told["experts"]["training.expiring"]) == (0, 1, 1)
        assert notice("deliver")[1]["sent"] >= 2
        assert notice("deliver", "--again")[1] == {"sent": 0, "failed": 0, "dead": 0, "dropped": 0}
    subjects = [json.loads(path.read_text("utf-8"))["subject"] for path in tmp_path.rglob("*-file.json")]
    assert "您的评审专家培训即将到期" in subjects


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("channels", "test"), "notices.no_such_medium"),
        (("channels", "test", "fax"), "notices.no_such_medium"),
        (("channels", "test", "mail", "--to", "a@b.cn"), "notices.channel_unknown"),
        (("channels", "set", "mail"), "notices.settings_needed"),
        (("channels", "set", "mail", "--settings", "nothing.json"), "cli.unreadable"),
        (("list", "--state", "lost"), "notices.no_such_state"),
    ],
)
def test_what_cannot_be_is_said(notice: Any, words: tuple[str, ...], code: str) -> None:
    ended, document, _ = notice(*words)
    assert (ended, document["error"]["code"] if "error" in document else document["code"]) == (2, code)


def test_settings_that_cannot_be_are_refused_without_repeating_them(notice: Any, tmp_path: Path) -> None:
    given = settings(tmp_path, host="a.cn", sender="nobody", password="geheim")
    code, document, said = notice("channels", "set", "mail", *given, lang="zh")
    assert code == 2
    assert "sender" in said
    assert "geheim" not in json.dumps(document) + said


def test_people_read_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    with open_store(str(tmp_path / "a.db")):
        pass
    for lang, none in (("zh", "尚未设置渠道"), ("en", "No channel is set up")):
        assert run(["notice", "channels", "--database", str(tmp_path / "a.db"), "--lang", lang]) == 0
        assert none in capsys.readouterr().out
    port = free_port()
    given = settings(tmp_path, host="localhost", port=port, security="plain", sender="a@b.cn")
    run(["notice", "channels", "set", "mail", *given, "--database", str(tmp_path / "a.db"), "--lang", "zh"])
    run(["notice", "channels", "list", "--database", str(tmp_path / "a.db"), "--lang", "zh"])
    assert "电子邮件" in capsys.readouterr().out
    test = ["notice", "channels", "test", "mail", "--to", "a@b.cn", "--database", str(tmp_path / "a.db")]
    assert run([*test, "--lang", "zh"]) == 5  # this machine's own ports are not listed
    assert "EXPERT_POOL_PRIVATE_HOSTS" in capsys.readouterr().out
    assert run(["notice", "list", "--database", str(tmp_path / "a.db"), "--lang", "zh"]) == 0
    assert "渠道测试" in capsys.readouterr().out
