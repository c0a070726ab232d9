"""Mail: a message in two forms (text and HTML), sent by SMTP with TLS (RFC 5321, 3207, 8314)."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Collection
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime

from expert_pool.notices.channels import MailSettings
from expert_pool.notices.letter import one_line
from expert_pool.notices.outgoing import SECONDS, Outgoing, Undelivered
from expert_pool.notices.reach import reachable
from solver.errors import Fault

ID_HEADER = "X-Expert-Pool-Notice"
"""Holds a notice's id, the same in every attempt; so does Message-ID."""


def message(notice: Outgoing, sender: str, sender_name: str = "") -> EmailMessage:
    """The mail that a notice is. Nothing it holds can add a header or a recipient: see `header`."""
    mail = EmailMessage(policy=WIRE)
    mail["From"] = Address(header(sender_name), addr_spec=sender)
    if notice.to:
        mail["To"] = Address(addr_spec=notice.to)
    mail["Subject"] = header(notice.letter.subject)
    mail["Date"] = format_datetime(notice.at)
    mail["Message-ID"] = f"<{notice.id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail[ID_HEADER] = notice.id
    mail.set_content(notice.letter.text + "\n", cte="base64")
    mail.add_alternative(notice.letter.html(notice.language), subtype="html", cte="base64")
    mail["Content-Language"] = notice.language  # setting the content drops such headers
    return mail


def header(text: str) -> str:
    """Text fit for a header: one line, and nothing that the library would take for an encoded word (RFC 2047), which
    it decodes, line breaks in it and all, and writes out as they are."""
    return one_line(text).replace("=?", "= ?")


class MailSender:
    """Sends mails over one connection, opened with the first. Connects only where `reach` allows."""

    def __init__(self, settings: MailSettings, private_hosts: Collection[str] = ()) -> None:
        self.settings, self.private_hosts = settings, private_hosts
        self._server: smtplib.SMTP | None = None

    def send(self, notice: Outgoing) -> None:
        """Hand one mail over. Raises Undelivered."""
        mail = message(notice, self.settings.sender, self.settings.sender_name)
        try:
            server = self._server or self._connect()
            server.sendmail(self.settings.sender, [notice.to], mail.as_bytes())
        except Fault as fault:
            raise Undelivered(fault.code, channel=True) from None
        except smtplib.SMTPException as error:
            self._drop()
            raise _undelivered(error) from None
        except (OSError, ValueError):  # ValueError: TLS that cannot be spoken
            self._drop()
            raise Undelivered("notices.mail_unreachable", channel=True) from None

    def close(self) -> None:
        """Say goodbye to the server."""
        if self._server is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._server.quit()
        self._drop()

    def _connect(self) -> smtplib.SMTP:
        asked = self.settings
        address = reachable(asked.host, asked.port, self.private_hosts)
        tls = ssl.create_default_context(cadata=asked.authority or None)
        server: smtplib.SMTP
        if asked.security == "tls":
            server = _PinnedTls(asked.host, asked.port, address, tls)
        else:
            server = _Pinned(asked.host, asked.port, address)
        self._server = server
        if asked.security == "starttls":
            server.starttls(context=tls)
        if asked.user and asked.security != "plain":
            server.login(asked.user, asked.password)
        return server

    def _drop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None


class _Pinned(smtplib.SMTP):
    """Connects to an address that was judged; what it says and believes is about the host's name."""

    def __init__(self, host: str, port: int, address: str) -> None:
        self._address = address
        super().__init__(host, port, timeout=SECONDS / 2)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return socket.create_connection((self._address, port), timeout)


class _PinnedTls(smtplib.SMTP_SSL):
    def __init__(self, host: str, port: int, address: str, tls: ssl.SSLContext) -> None:
        self._address, self._tls = address, tls
        super().__init__(host, port, timeout=SECONDS / 2, context=tls)

    def _get_socket(self, host: str, port: int, timeout: float) -> ssl.SSLSocket:
        plain = socket.create_connection((self._address, port), timeout)
        try:
            return self._tls.wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise


def _undelivered(error: smtplib.SMTPException) -> Undelivered:
    """5xx about this mail or its recipient is for good; what is about us or the server is tried again."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        status = next(iter(error.recipients.values()))[0]
        return Undelivered("notices.mail_refused", for_good=500 <= status < 600)
    if isinstance(error, smtplib.SMTPDataError):
        return Undelivered("notices.mail_refused", for_good=500 <= error.smtp_code < 600)
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return Undelivered("notices.mail_sign_in", channel=True)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Undelivered("notices.mail_unsafe", channel=True)
    return Undelivered("notices.mail_unreachable", channel=True)
