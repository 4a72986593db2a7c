"""A real mail server (aiosmtpd, STARTTLS, AUTH) that refuses, stalls, drops and lies, at any stage, as it is told.

    Rogue(lambda stage: "drop" if stage == "RCPT" else "")

    stages   connect, banner, EHLO, STARTTLS, AUTH, NOOP, MAIL, RCPT, DATA, body, dot, RSET, QUIT
    faults   see FAULTS; at the dot each with and without having taken the mail

It keeps the truth: what it took, how often, and to what it said yes.
"""

from __future__ import annotations

import asyncio
import email
import random
import socket
import ssl
from collections import Counter
from collections.abc import Callable

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from post_office import AS_IN_AN_ADDRESS, USER, Office

COMMANDS = ("EHLO", "STARTTLS", "AUTH", "NOOP", "MAIL", "RCPT", "DATA", "RSET", "QUIT")
ANY = ("4xx", "5xx", "421", "garbage", "drop", "stall", "dribble", "slow", "twice", "wrong", "endless")
FAULTS = {
    "connect": ("drop", "stall"), "banner": ANY, **dict.fromkeys(COMMANDS, ANY),
    "body": ("drop", "early-no", "early-yes", "deaf"),
    # `lie` says yes and takes nothing. A server that takes a mail and clearly says no to it is the one lie nobody can see through.
    "dot": ("4xx", "5xx", "421", "garbage", "drop", "stall", "dribble", "wrong", "slow", "lie",
            "take-garbage", "take-drop", "take-stall", "take-dribble", "take-wrong", "take-twice", "take-endless"),
}
PATIENCE = 0.3  # of the sender, in the tests: a stall is longer


class Rogue(Office):
    """What the server took, and what it does wrong."""

    def __init__(self, fault: Callable[[str], str] = lambda stage: "") -> None:
        super().__init__()
        self.fault = fault
        self.met: Counter[tuple[str, str]] = Counter()
        self.took: Counter[str] = Counter()
        self.said_yes: set[str] = set()
        self.heard: list[str] = []

    def draw(self, stage: str) -> str:
        fault = self.fault(stage)
        if fault:
            self.met[stage, fault] += 1
        return fault

    async def handle_DATA(self, server, _session, envelope):
        mail = email.message_from_bytes(envelope.content)["Message-ID"]
        fault = server.dot = "early" if server.early else self.draw("dot")
        if not fault or fault == "slow" or fault.startswith("take"):
            self.took[mail] += 1
            self.taken.append(envelope)
        if not fault or fault in ("slow", "lie", "take-twice", "early"):
            self.said_yes.add(mail)
        return {"4xx": "451 try later", "5xx": "554 not this one", "421": "421 closing"}.get(fault, "250 taken")


class Server(SMTP):
    """Does what its office says: `push` is where every answer leaves."""

    office: Rogue
    stage, dot, early, drawn = "banner", "", False, True

    def connection_made(self, transport):
        super().connection_made(transport)
        if self.stage == "banner" and self.session and self.session.ssl is None:
            self.drawn = False
            if fault := self.office.draw("connect"):
                if fault == "drop":
                    transport.abort()
                else:
                    transport.pause_reading()
                    self.stage = "mute"

    async def push(self, status):
        stage = self.stage
        if stage == "mute":
            await asyncio.sleep(PATIENCE * 4)
            return self.transport.abort() if self.transport else None
        if stage == "DATA" and status.startswith("354"):
            await self._answer(self._draw(), status)
            self.stage = "dot"
            return await self._body(self.office.draw("body"))
        if stage == "dot":
            if self.early:
                return self._abort()
            return await self._answer(self.dot.removeprefix("take-"), status)
        return await self._answer(self._draw(), status)

    def _draw(self):
        """One fault a stage, whatever number of lines its answer has."""
        if self.drawn:
            return ""
        self.drawn = True
        return self.office.draw(self.stage)

    def _abort(self):
        if self.transport:
            self.transport.abort()

    async def _answer(self, fault, status):
        push = super().push
        if fault in ("4xx", "5xx", "421") and self.stage != "dot":
            await push({"4xx": "451 not now", "5xx": "550 not here", "421": "421 closing"}[fault])
        elif fault == "garbage":
            self._writer.write(b"\x00\xff?? 250 \xfe nonsense\r\n")
        elif fault in ("drop", "stall"):
            await asyncio.sleep(0 if fault == "drop" else PATIENCE * 4)
            self._abort()
        elif fault == "dribble":
            for byte in status.encode():
                if self._writer.is_closing():
                    return
                self._writer.write(bytes([byte]))
                await asyncio.sleep(PATIENCE / 4)
            self._abort()
        elif fault == "twice":
            self._writer.write(f"{status}\r\n550 or rather not\r\n".encode())
        elif fault == "wrong":
            await push("354 go on" if self.stage == "dot" else "299 as you like")
        elif fault == "endless":
            for _ in range(300):
                await push("250-and more")
            self._abort()
        else:
            await asyncio.sleep(PATIENCE / 10 if fault == "slow" else 0)
            await push(status)
        if fault == "421":
            self._abort()

    async def _body(self, fault):
        if fault == "drop":
            self._abort()
        elif fault in ("early-no", "early-yes"):
            self.early = True
            await super().push("552 too much of it" if fault == "early-no" else "250 taken, taken")
        elif fault == "deaf":
            self.transport.pause_reading()
            await asyncio.sleep(PATIENCE * 4)
            self._abort()


def _staged(name):
    async def method(self, arg):
        self.stage, self.drawn = name, False
        self.office.heard.append(name)
        await getattr(SMTP, f"smtp_{name}")(self, arg)

    return method


for _name in COMMANDS:
    setattr(Server, f"smtp_{_name}", _staged(_name))


class RogueController(Controller):
    def factory(self):
        server = Server(self.handler, **self.SMTP_kwargs)
        server.office = self.handler
        return server


def serve(authority: trustme.CA | None, office: Rogue, *, cert: trustme.LeafCert | None = None, context: ssl.SSLContext | None = None,
          smtps: bool = False) -> Controller:
    """The server, started; `office.url` holds user and password.

    cert, context   its certificate; one of the authority for localhost where both are None
    smtps           TLS from the first byte, and no STARTTLS
    """
    if context is None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (cert or authority.issue_cert("localhost")).configure_cert(context)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    honest, office.fault = office.fault, lambda stage: ""  # the controller tries the door once
    secure = {"ssl_context": context, "auth_require_tls": False} if smtps else {"tls_context": context, "require_starttls": True}
    controller = RogueController(office, hostname="127.0.0.1", port=port, authenticator=office.login, auth_required=True, **secure)
    controller.start()
    office.fault = honest
    office.heard.clear()
    office.url = f"smtp{'s' * smtps}://{USER}:{AS_IN_AN_ADDRESS}@localhost:{controller.port}"
    return controller


WEIGHT = {**dict.fromkeys(("connect", "banner", "EHLO", "STARTTLS", "AUTH"), 0.25), "dot": 2.0}


def at_random(seed: int, share: float) -> Callable[[str], str]:
    """Each stage goes wrong with this chance, in a way drawn from its faults; the last dot more often, the way to the first mail less."""
    draws = random.Random(seed)
    return lambda stage: draws.choice(FAULTS[stage]) if draws.random() < share * WEIGHT.get(stage, 1.0) else ""
