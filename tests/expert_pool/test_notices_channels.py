"""Channels against real servers: mail with TLS and passwords, signed posts, files; and where none of them may go."""

from __future__ import annotations

import base64
import json
import socket
import stat
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from notice_servers import HERE, Certificate, certificate, gateway, mail_server, nobody_there
from pydantic import ValidationError
from refused import refused

from expert_pool import clock
from expert_pool.ledger import verify
from expert_pool.notices import hooks, mail, outgoing
from expert_pool.notices.channels import (
    FileSettings,
    HookSettings,
    MailSettings,
    channels,
    find_channel,
    remove_channel,
    set_channel,
)
from expert_pool.notices.hooks import HookSender
from expert_pool.notices.letter import Letter, letter, one_line
from expert_pool.notices.mail import MailSender, message
from expert_pool.notices.outgoing import Outgoing, Undelivered
from expert_pool.notices.reach import reachable
from expert_pool.notices.spool import FileSender
from expert_pool.registry import Medium, NoticeChannel
from expert_pool.store import Store

AT = datetime(2026, 9, 1, 4, 0, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("tls"))


def notice(to: str = "zhang@example.cn", **more: Any) -> Outgoing:
    words = Letter("培训到期", "第一行 <b>&\n第二行", "专家库：培训到期")
    given = {"id": "N0-mail", "kind": "letter", "medium": Medium.MAIL, "to": to, "language": "zh"}
    return Outgoing(**({**given, "letter": words, "at": AT} | more))


def settings(port: int, **more: Any) -> MailSettings:
    return MailSettings(**({"host": "localhost", "port": port, "sender": "noreply@pool.cn"} | more))


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_goes_over_tls_with_a_password(tls: Certificate, security: Any) -> None:
    with mail_server(tls.context, at_once=security == "tls", password="geheim 1") as mails:
        given = {"user": "clerk", "password": "geheim 1", "authority": tls.pem, "sender_name": "职称办"}
        sender = MailSender(settings(mails.port, security=security, **given), HERE)
        sender.send(notice())
        sender.send(notice("li@example.cn", id="N1-mail"))  # over the same connection
        sender.close()
    assert mails.signed_in == ["clerk"]
    assert mails.envelopes[0] == ("noreply@pool.cn", ("zhang@example.cn",))
    got = mails.got[0]
    assert got["Subject"] == "培训到期"
    assert got["From"].addresses[0].display_name == "职称办"
    assert (got["Message-ID"], got["X-Expert-Pool-Notice"]) == ("<N0-mail@pool.cn>", "N0-mail")
    assert (got["Auto-Submitted"], got["Content-Language"]) == ("auto-generated", "zh")
    text, page = got.get_body(("plain",)), got.get_body(("html",))
    assert text is not None
    assert page is not None
    assert text.get_content().splitlines() == ["第一行 <b>&", "第二行"]
    assert "<p>第一行 &lt;b&gt;&amp;</p>" in page.get_content()
    assert 'lang="zh"' in page.get_content()


def test_a_wrong_password_is_the_channel_s_fault_and_tried_again(tls: Certificate) -> None:
    with mail_server(tls.context, password="right") as mails:
        sender = MailSender(settings(mails.port, user="clerk", password="wrong", authority=tls.pem), HERE)
        with pytest.raises(Undelivered) as caught:
            sender.send(notice())
        sender.close()
    failed = caught.value
    assert (failed.code, failed.for_good, failed.channel) == ("notices.mail_sign_in", False, True)


def test_a_certificate_that_is_not_believed_ends_the_connection(tls: Certificate, tmp_path: Path) -> None:
    other = certificate(tmp_path, "mail.example.cn")
    with mail_server(other.context) as mails:
        for authority in ("", tls.pem, other.pem):  # nobody's, another's, the right one for another name
            sender = MailSender(settings(mails.port, authority=authority), HERE)
            with pytest.raises(Undelivered, match=r"notices\.mail_unreachable"):
                sender.send(notice())
            sender.close()
    assert mails.got == []


def test_a_server_without_starttls_gets_nothing(tls: Certificate) -> None:
    with mail_server() as mails:
        sender = MailSender(settings(mails.port, user="clerk", password="x"), HERE)
        with pytest.raises(Undelivered, match=r"notices\.mail_unsafe"):
            sender.send(notice())
        sender.close()
        plain = MailSender(settings(mails.port, security="plain", user="clerk", password="x"), HERE)
        plain.send(notice())
        plain.close()
    assert (len(mails.got), mails.signed_in) == (1, [])


def test_a_refused_recipient_is_for_good_and_a_busy_server_is_not() -> None:
    with mail_server() as mails:
        mails.refuse = {"gone@b.cn": "550 no such user", "full@b.cn": "452 mailbox full"}
        sender = MailSender(settings(mails.port, security="plain"), HERE)
        troubles = []
        for to in ("gone@b.cn", "full@b.cn", "zhang@example.cn"):
            try:
                sender.send(notice(to))
            except Undelivered as failed:
                troubles.append((failed.code, failed.for_good, failed.channel))
        mails.answer = lambda: "554 spam"
        with pytest.raises(Undelivered, match=r"notices\.mail_refused") as caught:
            sender.send(notice())
        sender.close()
    refused_ = ("notices.mail_refused",)
    assert troubles == [(*refused_, True, False), (*refused_, False, False)]
    assert caught.value.for_good
    assert len(mails.got) == 1


def test_nobody_there_is_said_so() -> None:
    with nobody_there() as port, pytest.raises(Undelivered, match=r"notices\.mail_unreachable"):
        MailSender(settings(port), HERE).send(notice())


def test_a_server_that_never_says_anything_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "SECONDS", 0.4)
    silent = socket.create_server(("127.0.0.1", 0))
    with silent, pytest.raises(Undelivered, match=r"notices\.mail_unreachable"):
        MailSender(settings(silent.getsockname()[1]), HERE).send(notice())


@pytest.mark.parametrize(
    "nasty",
    [
        "x\r\nBcc: victim@b.cn",
        "x\nBcc: victim@b.cn",
        "x\rBcc: victim@b.cn\r\n\r\nbody",
        "x\u2028Bcc: v@b.cn",
        "=?utf-8?q?x=0D=0ABcc:_v@b.cn?=",
        "x\x00\x1b[31m\u202e",
        "=?utf-8?b?" + "A" * 3000 + "?=",
        "=\x00?utf-8?q?x=0D=0ABcc:_v@b.cn?=",
        "==??utf-8?q?x=0D=0ABcc:_v@b.cn?=",
    ],
)
def test_nothing_in_a_notice_makes_a_header_or_a_recipient(nasty: str) -> None:
    words = letter("letter", {"subject": nasty, "text": f"{nasty}\n.\nRSET"}, "zh")
    sent = notice(letter=words)
    raw = message(sent, "noreply@pool.cn", nasty).as_bytes()
    head = raw.partition(b"\r\n\r\n")[0].decode().lower()
    assert not [line for line in head.split("\r\n") if line.startswith(("bcc", "v@"))]
    with mail_server() as mails:
        sender = MailSender(settings(mails.port, security="plain"), HERE)
        sender.send(sent)
        sender.close()
    assert mails.envelopes == [("noreply@pool.cn", ("zhang@example.cn",))]
    assert mails.got[0]["Bcc"] is None
    assert sorted(set(mails.got[0].keys())) == sorted(
        {
            "From",
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "Auto-Submitted",
            "Content-Language",
            "X-Expert-Pool-Notice",
            "MIME-Version",
            "Content-Type",
        }
    )


def test_parameters_are_no_templates_and_no_markup() -> None:
    nasty = "{by} {0} {{x}} {subject.__class__} <script>alert(1)</script>"
    words = letter("letter", {"subject": nasty, "text": nasty}, "en")
    assert words.subject == nasty
    assert "<script>" not in words.html("en")
    assert one_line("a\r\n\tb\u202ec") == "a bc"


def hook(port: int, scheme: str = "http", **more: Any) -> HookSettings:
    return HookSettings(url=f"{scheme}://localhost:{port}/sms?k=1", secrets=(SECRET,), **more)


def sms(**more: Any) -> Outgoing:
    return notice("13800001234", **({"id": "N0-sms", "medium": Medium.SMS} | more))


def test_a_gateway_can_verify_what_it_gets_as_docs_say(tls: Certificate) -> None:
    with gateway(tls.context) as posts, clock.fixed(AT):
        HookSender(hook(posts.port, "https", authority=tls.pem), HERE).send(sms())
    path, headers, body = posts.got[0]
    assert path == "/sms?k=1"
    assert headers["host"] == f"localhost:{posts.port}"
    assert int(headers["webhook-timestamp"]) == AT.timestamp()
    assert verified(body, headers, SECRET)
    assert not verified(body + b" ", headers, SECRET)
    assert not verified(body, headers | {"webhook-timestamp": "1"}, SECRET)
    old = str(int(AT.timestamp()) - 301)  # a signature made long ago, and sent again
    late = {
        "webhook-timestamp": old,
        "webhook-signature": hooks.signature("N0-sms", int(old), body, (SECRET,)),
    }
    assert not verified(body, headers | late, SECRET)
    assert not verified(body, headers | {"webhook-id": "N1-sms"}, SECRET)
    said = json.loads(body)
    assert said["id"] == headers["webhook-id"] == "N0-sms"
    assert (said["to"], said["text"], said["medium"]) == ("13800001234", "专家库：培训到期", "sms")


def verified(body: bytes, headers: dict[str, str], secret: str) -> bool:
    """What the recipe that docs/notices.md prints says at `AT`."""
    text = (Path(__file__).parents[2] / "docs" / "notices.md").read_text("utf-8")
    recipe = text.partition("```python\n")[2].partition("```")[0]
    found: dict[str, Any] = {}
    exec(recipe, found)
    found["time"] = SimpleNamespace(time=AT.timestamp)
    return bool(found["verified"](headers, body, secret))


def test_two_secrets_sign_side_by_side_while_one_is_replaced() -> None:
    other = "whsec_" + base64.b64encode(b"o" * 32).decode()
    now = int(AT.timestamp())
    said = hooks.signature("i", now, b"{}", (other, SECRET))
    headers = {"webhook-id": "i", "webhook-timestamp": str(now), "webhook-signature": said}
    assert verified(b"{}", headers, other)
    assert verified(b"{}", headers, SECRET)
    # the example of the Standard Webhooks specification
    example = hooks.signature(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",),
    )
    assert example == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("status", "headers", "code", "for_good", "after"),
    [
        (503, {"retry-after": "120"}, "notices.hook_busy", False, 120.0),
        (429, {"retry-after": "Tue, 01 Sep 2026 04:00:00 GMT"}, "notices.hook_busy", False, None),
        (429, {"retry-after": "1e99"}, "notices.hook_busy", False, 86400.0),
        (500, {}, "notices.hook_refused", False, None),
        (401, {}, "notices.hook_refused", False, None),
        (422, {}, "notices.hook_refused", True, None),
        (410, {}, "notices.hook_refused", True, None),
    ],
)
def test_what_a_gateway_answers_says_whether_to_try_again(
    status: int, headers: dict[str, str], code: str, for_good: bool, after: float | None
) -> None:
    with gateway() as posts:
        posts.answers.append((status, headers))
        with pytest.raises(Undelivered) as caught:
            HookSender(hook(posts.port), HERE).send(sms())
    assert (caught.value.code, caught.value.for_good, caught.value.after) == (code, for_good, after)


def test_a_redirect_is_never_followed() -> None:
    with gateway() as posts, gateway() as inner:
        posts.answers.append((307, {"location": f"http://localhost:{inner.port}/"}))
        with pytest.raises(Undelivered, match=r"notices\.hook_redirects"):
            HookSender(hook(posts.port), HERE).send(sms())
        assert inner.got == []


def test_an_answer_that_never_ends_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with gateway() as posts:
        posts.flood = True
        HookSender(hook(posts.port), HERE).send(sms())  # its head says 200; nothing more is read
        posts.flood, posts.drip = False, True
        monkeypatch.setattr(hooks, "SECONDS", 0.6)
        with pytest.raises(
            Undelivered, match=r"notices\.hook_(slow|unreachable)"
        ):  # by the whole, or one byte
            HookSender(hook(posts.port), HERE).send(sms())


def test_https_is_believed_only_with_a_certificate_for_its_name(tls: Certificate, tmp_path: Path) -> None:
    other = certificate(tmp_path, "gateway.example.cn")
    with gateway(other.context) as posts:
        for authority in ("", other.pem):
            with pytest.raises(Undelivered, match=r"notices\.hook_unreachable"):
                HookSender(hook(posts.port, "https", authority=authority), HERE).send(sms())
    assert posts.got == []


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "168.63.129.16",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[ff02::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "[2002:7f00:1::]",
        "[64:ff9b::7f00:1]",
        "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
        "[::7f00:1]",
    ],
)
def test_a_channel_reaches_nothing_inside(host: str) -> None:
    with gateway() as posts:
        place = HookSettings(url=f"https://{host}:{posts.port}/", secrets=(SECRET,))
        refusals = (
            r"notices\.(host_private|host_unresolved|hook_unreachable)"  # the last: no URL for the client
        )
        with pytest.raises(Undelivered, match=refusals):
            HookSender(place).send(sms())
        with pytest.raises(Undelivered, match=r"notices\.host_(private|unresolved)"):
            MailSender(settings(posts.port, host=host)).send(notice())
    assert posts.got == []


def test_what_the_machine_s_administrator_lists_may_be_reached() -> None:
    assert reachable("localhost.", 1, ("LOCALHOST",)) in ("127.0.0.1", "::1")
    assert reachable("10.1.2.3", 25, ("10.0.0.0/8",)) == "10.1.2.3"
    with refused("notices.host_private"):
        reachable("10.1.2.3", 25, ("10.2.0.0/16", "mail.inner"))
    with gateway() as posts, pytest.raises(Undelivered, match=r"notices\.hook_plain"):
        # an address that may be reached is no reason to go without encryption: the host itself is not listed
        HookSender(HookSettings(url=f"http://127.0.0.1:{posts.port}/"), ("127.0.0.0/8",)).send(sms())


def test_a_name_that_changes_its_answer_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: whatever the name says the second time, the connection goes where the first answer was judged."""
    answers = iter(["93.184.216.34", "127.0.0.1", "127.0.0.1"])
    real, asked, connected = socket.getaddrinfo, list[str](), list[str]()

    def lying(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        if host == "rebind.example.cn":
            asked.append(host)
            return [(2, 1, 6, "", (next(answers), port))]
        return real(host, port, *rest, **more)

    def watched(address: tuple[str, int], *_: Any, **__: Any) -> Any:
        connected.append(address[0])
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", lying)
    monkeypatch.setattr(socket, "create_connection", watched)
    with pytest.raises(Undelivered, match=r"notices\.mail_unreachable"):
        MailSender(settings(25, host="rebind.example.cn")).send(notice())
    assert (connected, asked) == (["93.184.216.34"], ["rebind.example.cn"])


@pytest.mark.parametrize("form", ["eml", "json"])
def test_a_file_holds_one_notice_and_is_written_whole(tmp_path: Path, form: Any) -> None:
    sender = FileSender(FileSettings(form=form), tmp_path, "noreply@pool.cn")
    for _ in range(2):  # again after a crash
        sender.send(notice(id="Nabc-file"))
    (path,) = (tmp_path / "notices").rglob("*.*")
    assert path.relative_to(tmp_path) == Path(f"notices/2026-09-01/Nabc-file.{form}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ("培训到期" in path.read_text()) == (form == "json")
    with pytest.raises(ValueError):
        sender.send(notice(id="../../etc/passwd"))


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "notices").write_text("in the way")
    with pytest.raises(Undelivered, match=r"notices\.file_unwritable"):
        FileSender(FileSettings(), tmp_path).send(notice())


def test_settings_are_sealed_and_shown_without_secrets(store: Store) -> None:
    given = MailSettings(host="mail.b.cn", sender="a@b.cn", user="u", password="geheim")
    with store.session() as session:
        assert set_channel(session, store.key, Medium.MAIL, given, by="admin") is None
        made = set_channel(session, store.key, Medium.SMS, hook(1), by="admin")
        assert made is not None
        # a hook's secrets are never taken from outside
        found = find_channel(session, store.key, Medium.SMS).settings
        assert isinstance(found, HookSettings)
        assert found.secrets == (made,)
        again = set_channel(session, store.key, Medium.SMS, hook(1), new_secret=True, by="admin")
        found = find_channel(session, store.key, Medium.SMS).settings
        assert isinstance(found, HookSettings)
        assert found.secrets == (again, made)
        assert set_channel(session, store.key, Medium.SMS, hook(2), by="admin") is None
    with store.session() as session:
        for row in session.query(NoticeChannel):
            assert b"geheim" not in row.settings_sealed
            assert b"whsec" not in row.settings_sealed
        for channel in channels(session, store.key).values():
            assert "geheim" not in repr(channel.shown()) + repr(channel.settings)
            assert "whsec" not in repr(channel.shown()) + repr(channel.settings)
        remove_channel(session, Medium.SMS, by="admin")
        with refused("notices.channel_unknown"):
            remove_channel(session, Medium.SMS, by="admin")
    with store.reading() as session:
        assert verify(session) == []


def test_a_kept_password_goes_nowhere_else(store: Store) -> None:
    given = {"host": "mail.b.cn", "sender": "a@b.cn", "user": "u"}
    with store.session() as session:

        def after(**more: Any) -> str:
            set_channel(session, store.key, Medium.MAIL, MailSettings(**(given | more)), by="admin")
            found = find_channel(session, store.key, Medium.MAIL).settings
            assert isinstance(found, MailSettings)
            return found.password

        assert after(password="geheim") == "geheim"
        assert after(sender_name="职称办") == "geheim"
        assert after(host="evil.example.cn") == ""


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.cn/",
        "file:///etc/passwd",
        "https://",
        "https://user:pass@a.cn/",
        "https://a.cn/#x",
        "https://a.cn/ b",
        "https://a.cn\\@b.cn/",
        "https://a.cn:0/",
        "https://a.cn:99999/",
        "https://a.cn/\r\nX: y",
        "gopher://a.cn",
        "//a.cn",
        "https://例子.cn/",
    ],
)
def test_a_url_that_is_none_of_a_gateway_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        HookSettings(url=url)


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": "a b"},
        {"host": "a\r\nb"},
        {"sender": "x"},
        {"sender": "a@b.cn\r\nBcc: c@d.cn"},
        {"sender_name": "x\r\nBcc: c@d.cn"},
        {"password": "a\r\nRCPT TO"},
        {"user": "a\nb"},
        {"authority": "no certificate"},
        {"port": 0},
        {"security": "ssl2"},
    ],
)
def test_mail_settings_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MailSettings(**({"host": "a.cn", "sender": "a@b.cn"} | wrong))


def test_an_attempt_has_an_end() -> None:
    assert outgoing.SECONDS <= 30
