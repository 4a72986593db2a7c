"""A line to a mail server: verified before anything secret is said, and every answer judged.

A mail that is handed over ends in one of three ways:

    sent      the server took it
    refused   the server said no, in a clear answer; or the line broke before the mail began to leave
    unknown   the line broke, or the answer made no sense, after the mail began to leave: it may have arrived

`smtplib` speaks the protocol. What it forgives is not forgiven here: an answer that is no answer, an answer nobody asked
for, a server that says one byte a minute.
"""

from __future__ import annotations

import contextlib
import email.policy
import os
import re
import smtplib
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from sopnb import letters, redact
from sopnb.letters import MailError

SECONDS = 60  # how long an answer may take; the whole of it, not each byte
DOT_SECONDS = 600  # after the final dot: RFC 5321 (4.5.3.2.6) asks for ten minutes, since giving up earlier leaves it unknown
BODY_SECONDS = 600  # for the mail itself to leave
POLICY = email.policy.SMTP.clone(max_line_length=letters.COLUMNS)
CHUNK = 65_536
LINES, LENGTH = 100, 4096  # of one answer


class Babble(smtplib.SMTPException):
    """The server said something that is no answer, or spoke out of turn."""


@dataclass(frozen=True)
class Answer:
    """What became of a mail.

    state    sent, refused or unknown
    said     the server's words, or what broke
    lasting  a refusal that another try would meet again (5xx)
    broken   nothing more can be said on this line
    """

    state: str
    said: str = ""
    lasting: bool = False
    broken: bool = False


# --- the address ----------------------------------------------------------------------------------------------------

def address(reference: str | None) -> str:
    """The SMTP address behind `env:NAME`; '' where none is set."""
    return os.environ.get(reference.removeprefix("env:"), "") if reference else ""


def check(url: str) -> None:
    """raises   MailError where this is no address of an SMTP server"""
    try:
        at = urlsplit(url)
        good = at.scheme in ("smtps", "smtp") and bool(at.hostname) and (at.port is None or at.port > 0)
    except ValueError:
        good = False
    if not good:
        raise MailError("The SMTP address must be smtps://user:password@host:465 or smtp://user:password@host:587; set it in the environment.")


# --- the line -------------------------------------------------------------------------------------------------------

class _Strict(smtplib.SMTP):
    """Answers are whole, in time, and to what was asked."""

    patience: float = SECONDS
    _waiting = b""

    def getreply(self) -> tuple[int, bytes]:
        """raises   TimeoutError, SMTPServerDisconnected, Babble; after each of them the line is closed"""
        deadline, said, code = time.monotonic() + self.patience, [], b""
        try:
            for _ in range(LINES):
                found = re.fullmatch(rb"([2-5]\d\d)(?:([ -])(.*))?", self._next_line(deadline))
                if not found or code not in (b"", found[1]):
                    raise Babble("an answer that is none")
                code = found[1]
                said.append((found[3] or b"").strip())
                if found[2] != b"-":
                    return int(code), b"\n".join(said)
            raise Babble("an answer without end")
        except (OSError, smtplib.SMTPException):
            self.close()
            raise

    def _next_line(self, deadline: float) -> bytes:
        while b"\n" not in self._waiting:
            if len(self._waiting) > LENGTH:
                raise Babble("a line without end")
            self._take(max(deadline - time.monotonic(), 0))
        line, _, self._waiting = self._waiting.partition(b"\n")
        return line.rstrip(b"\r")

    def _take(self, seconds: float) -> None:
        """Wait for more from the server.

        raises   TimeoutError, SMTPServerDisconnected
        """
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("the line is closed")
        if seconds <= 0:
            raise TimeoutError(f"no whole answer in {self.patience:g} seconds")
        self.sock.settimeout(seconds)
        data = self.sock.recv(LENGTH)
        self.sock.settimeout(self.patience)
        if not data:
            raise smtplib.SMTPServerDisconnected("the server closed the line")
        self._waiting += data

    def early(self) -> bool:
        """Whether the server spoke, or hung up, before it was asked.

        raises   SMTPServerDisconnected
        """
        if not self._waiting and self.sock is not None:
            self.sock.settimeout(0)
            try:  # under TLS a readable socket may hold nothing for us, so that only reading tells
                data = self.sock.recv(LENGTH)
            except (BlockingIOError, ssl.SSLWantReadError):
                return False
            finally:
                self.sock.settimeout(self.patience)
            if not data:
                raise smtplib.SMTPServerDisconnected("the server closed the line")
            self._waiting += data
        return bool(self._waiting)

    def putcmd(self, cmd: str, args: str = "") -> None:
        """Words that were said before STARTTLS, or ahead of their question, must not pass for the next answer."""
        if self.early():
            self.close()
            raise Babble(f"words nobody asked for: {_plain(self._waiting[:100].decode('ascii', 'replace'))}")
        super().putcmd(cmd, args)

    def say(self, data: bytes, deadline: float) -> None:
        """Send bytes, slowly read or not, until a time."""
        for start in range(0, len(data), CHUNK):
            if self.sock is None or time.monotonic() > deadline:
                raise TimeoutError("the server took the mail too slowly")
            self.sock.settimeout(max(deadline - time.monotonic(), 0.01))
            self.sock.sendall(data[start:start + CHUNK])
        if self.sock is not None:
            self.sock.settimeout(self.patience)


class _StrictTls(_Strict, smtplib.SMTP_SSL):
    """The same under TLS from the first byte."""


@contextlib.contextmanager
def server(url: str, *, timeout: float = 0.0) -> Iterator[_Strict]:
    """A line to a server whose certificate is verified; there is no fallback to an open line.

    url      smtps://user:password@host:465, or smtp://…:587 which must offer STARTTLS
    raises   MailError where there is no line; the server is named, its password never
    """
    check(url)
    at, context, patience = urlsplit(url), ssl.create_default_context(), timeout or SECONDS
    host = at.hostname or ""
    line: _Strict | None = None
    try:
        try:
            line = _opened(host, at.port, patience, context if at.scheme == "smtps" else None)
            if at.scheme == "smtp":
                line.starttls(context=context)
            if at.username:
                line.login(unquote(at.username), unquote(at.password or ""))
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise MailError(f"No line to {host}: {reason(error)}.") from None
        yield line
        with contextlib.suppress(OSError, smtplib.SMTPException):
            line.quit()
    finally:
        if line is not None:
            line.close()


def _opened(host: str, port: int | None, patience: float, context: ssl.SSLContext | None) -> _Strict:
    settings: dict[str, Any] = {"timeout": patience}
    line = _StrictTls(context=context, **settings) if context else _Strict(**settings)
    line.patience = patience
    line._host = host  # type: ignore[attr-defined]  # the name the certificate is held against; taken by the class only where it connects at once
    try:
        code, said = line.connect(host, port or (465 if context else 587))
        if code != 220:
            raise smtplib.SMTPConnectError(code, said)
    except BaseException:
        line.close()
        raise
    return line


def reason(error: Exception) -> str:
    """What went wrong, in one line; a server's answer to a login may repeat what it was told, so that only its kind is named."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "user or password refused"
    if isinstance(error, smtplib.SMTPResponseException):
        return said(error.smtp_code, error.smtp_error if isinstance(error.smtp_error, bytes) else str(error.smtp_error).encode())
    return _plain(f"{type(error).__name__}: {error}")


def said(code: int, words: bytes) -> str:
    """A server's answer as one line: 550 no such person"""
    return _plain(f"{code} {words.decode('ascii', 'replace')}")


def _plain(text: str) -> str:
    return redact.text(re.sub(r"[^\x20-\x7e]+", " ", text).strip()[:200])


# --- one mail -------------------------------------------------------------------------------------------------------

def hand_over(line: _Strict, content: bytes, *, sender: str, reader: str) -> Answer:
    """Give the server one mail for one reader.

    A clear no (4xx, 5xx) is believed, also after the final dot: that is the protocol's promise, and nothing could be tried
    again otherwise. Anything but a clear answer after the mail began to leave is unknown.
    """
    try:
        refused = _envelope(line, len(content), sender, reader)
    except (OSError, smtplib.SMTPException) as error:
        return Answer("refused", reason(error), broken=True)
    if refused:
        return _reset(line, refused)
    try:
        return _body(line, content)
    except (OSError, smtplib.SMTPException) as error:
        return Answer("unknown", reason(error), broken=True)


def _envelope(line: _Strict, size: int, sender: str, reader: str) -> Answer | None:
    """MAIL, RCPT, DATA; None where the server waits for the mail."""
    line.ehlo_or_helo_if_needed()
    # A sender that is refused is our own fault and not the reader's: the next run tries again.
    steps = ((lambda: line.mail(sender, [f"size={size}"] if line.has_extn("size") else []), (250,), False),
             (lambda: line.rcpt(reader), (250, 251), True),
             (lambda: line.docmd("DATA"), (354,), True))
    for ask, good, lasts in steps:
        code, words = ask()
        if code in good:
            continue
        if code < 400:
            raise Babble(f"{code} where {good[0]} or a refusal was due")
        return Answer("refused", said(code, words), lasting=lasts and code >= 500, broken=code == 421)
    return None


def _body(line: _Strict, content: bytes) -> Answer:
    quoted = re.sub(rb"(?m)^\.", b"..", content)
    quoted = quoted if quoted.endswith(b"\r\n") else quoted + b"\r\n"
    line.say(quoted, time.monotonic() + BODY_SECONDS)
    early = line.early()  # a no may come before the end; a yes may not
    if not early:
        line.say(b".\r\n", time.monotonic() + SECONDS)
    line.patience, patience = DOT_SECONDS, line.patience
    try:
        code, words = line.getreply()
    finally:
        line.patience = patience
    answer = said(code, words)
    if code >= 400:
        refused = Answer("refused", answer, lasting=code >= 500, broken=early or code == 421)
        return refused if early else _reset(line, refused)
    if early or code >= 300 or line._waiting:
        return Answer("unknown", f"{answer}, which is no answer to a whole mail", broken=True)
    return Answer("sent", answer)


def _reset(line: _Strict, answer: Answer) -> Answer:
    """After a refusal the line is cleared for the next mail."""
    if answer.broken:
        return answer
    try:
        code, _ = line.rset()
    except (OSError, smtplib.SMTPException):
        code = 421
    return answer if code == 250 else Answer(answer.state, answer.said, answer.lasting, broken=True)
