"""Real servers that take notices: SMTP with TLS and passwords, HTTP and HTTPS that write down what they got."""

from __future__ import annotations

import socket
import ssl
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HERE = ("localhost",)
"""What tests let channels reach."""


@dataclass(frozen=True)
class Certificate:
    """A certificate for `localhost` that is its own authority."""

    pem: str
    context: ssl.SSLContext


def certificate(folder: Path, name: str = "localhost") -> Certificate:
    """A fresh certificate for a name, good for a day."""
    secret = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=400))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(secret, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    raw = secret.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    both = folder / f"{name}.pem"
    both.write_bytes(pem + raw)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return Certificate(pem.decode(), context)


@dataclass
class Mails:
    """A mail server and what it got. `refuse` gives a recipient's answer, when it is not welcome; `answer` that to a
    mail."""

    port: int = 0
    got: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    answer: Callable[[], str] = field(default=lambda: "250 OK")
    signed_in: list[str] = field(default_factory=list)


@contextmanager
def mail_server(
    tls: ssl.SSLContext | None = None, *, at_once: bool = False, password: str | None = None
) -> Iterator[Mails]:
    """An SMTP server on localhost: STARTTLS (or TLS `at_once`) with a context; users `clerk` with a password."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own use of old names
        from aiosmtpd.controller import Controller
        from aiosmtpd.smtp import AuthResult, LoginPassword

    mails = Mails()

    class Handler:
        async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, _: Any) -> str:
            if address in mails.refuse:
                return mails.refuse[address]
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            answer = mails.answer()
            if answer.startswith("250"):
                mails.envelopes.append((envelope.mail_from, tuple(envelope.rcpt_tos)))
                mails.got.append(message_from_bytes(envelope.content, policy=default))  # type: ignore[arg-type]
            return answer

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> Any:
        assert isinstance(data, LoginPassword)
        mails.signed_in.append(data.login.decode())
        return AuthResult(success=data.password.decode() == password, handled=False)

    options: dict[str, Any] = {}
    if tls is not None:
        options = {"ssl_context": tls} if at_once else {"tls_context": tls, "require_starttls": True}
    if password is not None:
        options |= {"authenticator": authenticate, "auth_required": True, "auth_require_tls": not at_once}

    class Listening(Controller):
        def _create_server(self) -> Any:
            """On a port that is taken before anybody is told of it."""
            listener = socket.create_server(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
            return self.loop.create_server(self._factory_invoker, sock=listener, ssl=self.ssl_context)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        controller = Listening(Handler(), hostname="127.0.0.1", ready_timeout=120, **options)
        controller.start()
        try:
            mails.port = controller.port
            yield mails
        finally:
            controller.stop()


@dataclass
class Posts:
    """A gateway and what it got: path, headers (lower case), body. `answers` gives status and headers one after the
    other, then 200. `drip` and `flood`: an answer that goes on until the client is gone, in its head and in its body."""

    port: int = 0
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    drip: bool = False
    flood: bool = False


@contextmanager
def gateway(tls: ssl.SSLContext | None = None) -> Iterator[Posts]:
    """An HTTP server (with a context: HTTPS) on localhost."""
    posts = Posts()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            posts.got.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            status, headers = posts.answers.pop(0) if posts.answers else (200, {})
            try:
                self._answer(status, headers)
            except OSError:  # the client is gone, as it should
                self.close_connection = True

        def _answer(self, status: int, headers: dict[str, str]) -> None:
            if posts.drip:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nx: ")
                while True:
                    self.wfile.write(b"y")
                    time.sleep(0.02)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if posts.flood:
                self.end_headers()
                while True:
                    self.wfile.write(b"z" * 65536)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that refuse our certificate
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    posts.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield posts
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def nobody_there() -> Iterator[int]:
    """A port of this machine that is taken, and that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
