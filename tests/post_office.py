"""A real mail server for tests, on this machine only, with a certificate that the test made itself."""

from __future__ import annotations

import email
import email.policy
import socket
import ssl
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope

USER, PASSWORD = "planning", "s3cret/pass&word"
AS_IN_AN_ADDRESS = "s3cret%2Fpass%26word"


class Office:
    """What the server took, and whom it refuses."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        self.refuse: set[str] = set()
        self.answer = "550 no such person here"
        self.asked: list[str] = []
        self.logins: list[str] = []

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        self.asked.append(address)
        if address in self.refuse:
            return self.answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):
        self.taken.append(envelope)
        return "250 taken"

    def login(self, _server, _session, _envelope, _mechanism, data) -> AuthResult:
        self.logins.append(data.login.decode())
        return AuthResult(success=data.password.decode() == PASSWORD, handled=False)

    @property
    def mails(self) -> list[EmailMessage]:
        return [email.message_from_bytes(one.content, policy=email.policy.default) for one in self.taken]

    @property
    def readers(self) -> list[str]:
        return [address for one in self.taken for address in one.rcpt_tos]


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA(key_type=trustme.KeyType.ECDSA)


@pytest.fixture
def trusted(authority, tmp_path_factory, monkeypatch) -> None:
    """The test's own certificate authority is one this machine trusts."""
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))


def serve(authority: trustme.CA, office: Office, *, starttls: bool = False, host: str = "localhost") -> Controller:
    """The server, started: TLS from the first byte, or STARTTLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    secure = {"tls_context": context, "require_starttls": True} if starttls else {"ssl_context": context, "auth_require_tls": False}
    controller = Controller(office, hostname="127.0.0.1", port=port, authenticator=office.login, auth_required=True, **secure)
    controller.start()
    return controller


@pytest.fixture
def office(authority, trusted) -> Iterator[Office]:
    """A server over TLS that the machine trusts; `office.url` holds user and password."""
    found = Office()
    controller = serve(authority, found)
    found.url = f"smtps://{USER}:{AS_IN_AN_ADDRESS}@localhost:{controller.port}"
    yield found
    controller.stop(no_assert=True)
