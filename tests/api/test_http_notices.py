"""Notices over HTTP: reading them, where they go, the channels; who may do what."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from notice_servers import gateway, mail_server
from sqlalchemy import select

from api.http.app import create_app
from api.http.service import Service
from api.jobs.inline import InlineEngine
from api.settings import Settings
from expert_pool.accounts.rights import Grant, Principal, Role
from expert_pool.notices.addresses import To
from expert_pool.notices.telling import tell
from expert_pool.registry import Account, LedgerEntry, Notice, NoticeAddress, Organiser

BASE = "/api/v1/notices"
CHANNELS = "/api/v1/notice-channels"


def account(http: Any, name: str = "clerk", **more: Any) -> int:
    with http.store.session() as session:
        row = Account(name=name, created_at=datetime(2026, 9, 1, tzinfo=UTC), created_by="test", **more)
        session.add(row)
        session.flush()
        return int(row.id)


def say(http: Any, to: To, cause: str, kind: str = "letter", **params: Any) -> str:
    with http.store.session() as session:
        said = {"subject": f"关于 {cause}", "text": "正文"} | params
        code = tell(session, http.store.key, kind, to, cause=cause, params=said)
        assert code is not None
        return code


def etag(client: Any, place: str) -> dict[str, str]:
    return {"If-Match": client.get(place).headers["etag"]}


def test_everybody_reads_the_own_notices(both_http: Any) -> None:
    http = both_http
    mine, other = account(http), account(http, "other")
    expert = http.tiny.ids["expert"]["E01"]
    codes = [say(http, To(account_id=mine), f"n{n}") for n in range(3)]
    codes.append(say(http, To(expert_id=expert), "e"))
    hidden = say(http, To(account_id=other), "hidden")
    client = http.sign_in(Role.EXPERT, account_id=mine, expert_id=expert, language="en")
    page = client.get(BASE, params={"limit": 3}).json()
    rest = client.get(BASE, params={"limit": 3, "cursor": page["next"]}).json()
    assert [one["code"] for one in page["items"] + rest["items"]] == codes[::-1]
    assert page["items"][0] | {"at": ""} == {
        "code": codes[-1],
        "kind": "letter",
        "at": "",
        "read_at": None,
        "office": None,
        "subject": "关于 e",
        "text": "正文",
    }
    assert client.post(f"{BASE}/{codes[0]}/reading").status_code == 204
    assert client.post(f"{BASE}/{codes[0]}/reading").status_code == 204
    assert len(client.get(BASE, params={"unread": True}).json()["items"]) == 3
    assert [one["code"] for one in client.get(BASE, params={"unread": False}).json()["items"]] == codes[:1]
    assert client.get(f"{BASE}/{codes[1]}").json()["text"] == "正文"
    for place in (f"{BASE}/{hidden}", f"{BASE}/nothing"):
        answer = client.get(place)
        assert (answer.status_code, answer.json()["code"]) == (404, "notices.notice_unknown")
        assert client.post(f"{place}/reading").status_code == 404
    assert http.stranger().get(BASE).status_code == 401


def test_an_office_s_notices_are_read_with_the_right_they_are_about(http: Any) -> None:
    with http.store.session() as session:
        other = Organiser(code="OTHER", name="他省")
        session.add(other)
        session.flush()
        far = other.id
    here = http.tiny.organiser_id
    digest: dict[str, Any] = {"count": 1, "first": "2026-10-01", "last": "2026-10-01", "which": ["E01"]}
    more = {"ended": None, "more": None, "value": None}
    for office, kind in ((here, "training.expiring"), (here, "panel.opens"), (far, "training.expiring")):
        say(http, To(office_id=office), f"{kind}:{office}", kind, **digest, **more)
    me = account(http)

    def kinds(*roles: Role, organisers: frozenset[int] | None) -> list[tuple[str, str]]:
        client = http.sign_in(*roles, organisers=organisers, account_id=me)
        answer = client.get(f"{BASE}/offices")
        assert answer.status_code == 200
        return sorted((one["kind"], one["office"]) for one in answer.json()["items"])

    mine = frozenset({here})
    assert kinds(Role.POOL_MANAGER, organisers=mine) == [("training.expiring", "HR")]
    assert kinds(Role.COMMITTEE_OFFICE, organisers=mine) == [("panel.opens", "HR")]
    assert kinds(Role.ADMINISTRATOR, organisers=None) == []
    everywhere = [("panel.opens", "HR"), ("training.expiring", "HR"), ("training.expiring", "OTHER")]
    assert kinds(Role.AUDITOR, organisers=None) == everywhere
    assert http.sign_in(Role.EXPERT, account_id=me).get(f"{BASE}/offices").status_code == 403
    with http.store.reading() as session:
        code = session.scalar(select(Notice.code).where(Notice.office_id == far))
    office = http.sign_in(Role.POOL_MANAGER, organisers=mine, account_id=me)
    assert office.get(f"{BASE}/{code}").status_code == 404


def test_addresses_are_set_with_if_match_and_shown_masked(http: Any) -> None:
    me = account(http)
    client = http.sign_in(Role.POOL_MANAGER, account_id=me)
    for place in (f"{BASE}/addresses", f"{BASE}/offices/HR/addresses", f"{BASE}/experts/E01/addresses"):
        sent = {"address": "zhang@example.cn", "language": "en"}
        assert client.put(f"{place}/mail", json=sent).status_code == 428
        before = etag(client, place)
        answer = client.put(f"{place}/mail", json=sent, headers=before)
        assert answer.status_code == 200
        (shown,) = answer.json()["items"]
        assert (shown["form"], shown["address"], shown["language"]) == ("mail", "z***@example.cn", "en")
        assert "zhang" not in answer.text + client.get(place).text
        assert client.put(f"{place}/mail", json=sent, headers=before).status_code == 412
        wrong = client.put(f"{place}/phone", json={"address": "x"}, headers=etag(client, place))
        assert (wrong.status_code, wrong.json()["code"]) == (422, "notices.address_malformed")
        phone = client.put(
            f"{place}/phone", json={"address": "13800001234"}, headers={"If-Match": answer.headers["etag"]}
        )
        assert phone.status_code == 200
        gone = client.delete(f"{place}/mail", headers=etag(client, place))
        assert [one["form"] for one in gone.json()["items"]] == ["phone"]
        assert client.delete(f"{place}/mail", headers=etag(client, place)).status_code == 404
    for place in (f"{BASE}/offices/NO/addresses", f"{BASE}/experts/NO/addresses"):
        assert client.get(place).status_code == 404
    with http.store.reading() as session:
        assert len(session.scalars(select(NoticeAddress)).all()) == 3
        told = select(LedgerEntry).where(LedgerEntry.action.like("notice_address.%")).order_by(LedgerEntry.id)
        entries = [(e.actor, e.subject, e.action.partition(".")[2]) for e in session.scalars(told)]
    assert entries == [
        ("clerk", subject, what) for subject in ("clerk", "HR", "E01") for what in ("set", "set", "removed")
    ]
    other = http.sign_in(Role.POOL_MANAGER, organisers=frozenset({0}), account_id=me)
    assert other.get(f"{BASE}/offices/HR/addresses").status_code == 404
    assert http.sign_in(Role.AUDITOR, account_id=me).get(f"{BASE}/offices/HR/addresses").status_code == 403


def test_preferences_are_replaced_as_a_whole(http: Any) -> None:
    client = http.sign_in(Role.AUDITOR, account_id=account(http))
    place = f"{BASE}/preferences"
    shown = client.get(place).json()["items"]
    assert {"kind": "run.done", "medium": "mail", "wanted": True, "fixed": False} in shown
    choice = {"kind": "run.done", "medium": "mail", "wanted": False}
    changed = client.put(place, json={"items": [choice]}, headers=etag(client, place))
    assert choice | {"fixed": False} in changed.json()["items"]
    must = {"items": [choice | {"kind": "account.token_created"}]}
    refused = client.put(place, json=must, headers=etag(client, place))
    assert (refused.status_code, refused.json()["code"]) == (422, "notices.must")
    assert client.put(place, json={"items": []}, headers={"If-Match": '"stale"'}).status_code == 412
    client.put(place, json={"items": []}, headers=etag(client, place))
    assert client.get(place).json()["items"] == shown


def served(http: Any, tmp_path: Path) -> Any:
    """The service with jobs carried at once, on a machine that may reach its own ports."""
    settings = Settings(database=http.store.url, files=tmp_path / "files", private_hosts=("localhost",))
    http.app = create_app(Service(http.store, InlineEngine(http.store, settings), settings))
    return http


def test_a_channel_is_set_up_and_tested(http: Any, tmp_path: Path) -> None:
    served(http, tmp_path)
    with http.store.session() as session:
        row = Account(name="boss", created_at=datetime(2026, 9, 1, tzinfo=UTC), created_by="test")
        session.add(row)
        session.flush()
        boss = row.id
    from expert_pool.accounts import granting, principal_of
    from expert_pool.viewer import Viewer

    with http.store.session() as session:
        granting.grant(
            session, Viewer.system("t"), session.get_one(Account, boss), Role.ADMINISTRATOR, organiser=None
        )
    with http.store.reading() as session:
        client = http.client(principal_of(session, boss))
    with mail_server() as mails, gateway() as posts:
        settings = {"host": "localhost", "port": mails.port, "security": "plain", "sender": "noreply@pool.cn"}
        body = {"settings": settings | {"password": "geheim"}}
        assert client.put(f"{CHANNELS}/mail", json=body).status_code == 428
        answer = client.put(f"{CHANNELS}/mail", json=body, headers=etag(client, CHANNELS))
        assert answer.status_code == 200
        assert answer.json()["items"][0]["settings"]["password_set"] is True
        assert "geheim" not in answer.text + client.get(CHANNELS).text
        hook = {"settings": {"url": f"http://localhost:{posts.port}/sms"}}
        made = client.put(f"{CHANNELS}/sms", json=hook, headers=etag(client, CHANNELS))
        secret = made.json()["secret"]
        assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
        assert made.headers["cache-control"] == "no-store"
        assert secret not in client.get(CHANNELS).text
        again = client.put(f"{CHANNELS}/sms", json=hook, headers=etag(client, CHANNELS))
        assert again.json()["secret"] is None

        wait = {"Prefer": "wait=10"}
        tested = client.post(f"{CHANNELS}/mail/tests", json={"address": "me@b.cn"}, headers=wait)
        assert tested.status_code == 200
        assert tested.json()["result"] | {"trouble": ""} == {
            "sent": 1,
            "failed": 0,
            "dead": 0,
            "dropped": 0,
            "state": "sent",
            "trouble": "",
        }
        posts.answers.append((422, {}))
        failed = client.post(f"{CHANNELS}/sms/tests", json={"address": "13800001234"}, headers=wait)
        assert failed.json()["result"]["state"] == "dead"
        assert failed.json()["result"]["trouble"] == "notices.hook_refused"
        assert mails.got[0]["To"] == "me@b.cn"
        listed = client.get(f"{CHANNELS}/deliveries", params={"state": "dead"}).json()["items"]
        assert [(one["medium"], one["attempts"]) for one in listed] == [("sms", 1)]
        assert client.post(f"{CHANNELS}/deliveries/again", json={"medium": "sms"}).json() == {"count": 1}
    for path, body, code in (
        ("sms", {}, "notices.channel_needs_address"),
        ("voice", {"address": "13800001234"}, "notices.channel_unknown"),
        ("mail", {"address": "13800001234"}, "notices.address_malformed"),
    ):
        assert client.post(f"{CHANNELS}/{path}/tests", json=body).json()["code"] == code
    client.delete(f"{CHANNELS}/sms", headers=etag(client, CHANNELS))
    assert [one["medium"] for one in client.get(CHANNELS).json()["items"]] == ["mail"]
    with http.store.reading() as session:
        actions = session.scalars(select(LedgerEntry.action).where(LedgerEntry.actor == "boss")).all()
    assert [action for action in actions if action.startswith("notices.")] == [
        "notices.channel_set",
        "notices.channel_set",
        "notices.channel_set",
        "notices.sent_again",
        "notices.channel_removed",
    ]


@pytest.mark.parametrize(
    ("medium", "settings"),
    [
        ("sms", {"url": "ftp://a.cn/"}),
        ("sms", {"url": "https://user:secret@a.cn/"}),
        ("voice", {"url": "https://a.cn/", "secrets": ["whsec_AAAA"]}),
        ("mail", {"host": "a.cn", "sender": "nobody"}),
        ("mail", {"host": "a.cn\r\nX: y", "sender": "a@b.cn"}),
        ("file", {"form": "pdf"}),
        ("file", {"form": "eml", "folder": "/etc"}),
    ],
)
def test_settings_that_cannot_be_are_refused_without_repeating_them(
    http: Any, medium: str, settings: dict[str, Any]
) -> None:
    client = http.sign_in(Role.ADMINISTRATOR, account_id=account(http))
    answer = client.put(f"{CHANNELS}/{medium}", json={"settings": settings}, headers=etag(client, CHANNELS))
    assert answer.status_code == 422
    assert "secret@" not in answer.text


def test_only_who_operates_the_service_sees_its_channels(http: Any) -> None:
    me = account(http)
    for role in Role:
        client = http.sign_in(role, account_id=me)
        allowed = role is Role.ADMINISTRATOR
        for path in ("", "/deliveries"):
            assert (client.get(f"{CHANNELS}{path}").status_code == 200) == allowed
        tenant = http.sign_in(role, account_id=me, organisers=frozenset({http.tiny.organiser_id}))
        assert tenant.get(CHANNELS).status_code == 403
    program = Principal(me, "program", (Grant(Role.ADMINISTRATOR, None, None),), scopes=frozenset())
    assert http.client(program).get(BASE).status_code == 403
