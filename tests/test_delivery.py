"""Sending, against a real mail server on this machine: each mail once, and of each it is known what became of it."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import socket
import ssl
import threading
from email.message import EmailMessage

import post_office
import pytest
import rogue_office
import trustme
import yaml

from sopnb import delivery, ledger, mail, params, problems, recipients, smtp_line

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH")  # the test server does not see that its line is under TLS from the first byte


BUDI, AGUS = "budi@pangan.example", "agus@pangan.example"


def letter(to, *, revision=1, sender="sop@pangan.example", subject="S&OP October 2026", **more):
    """A small mail, with the identity a real one has."""
    message = EmailMessage(policy=smtp_line.POLICY)
    message["Subject"], message["From"], message["To"] = subject, sender, to
    message["Date"] = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
    header = {"header": {"company": "Contoh Pangan", "cycle": "2026-10"}}
    message["Message-ID"] = mail.message_id(header, kind="pack", revision=revision, to=to, sender=sender)
    for name, value in more.items():
        message[name] = value
    message.set_content("540 hours are missing.\n.\n..two dots\n")
    return message


# --- sent once ------------------------------------------------------------------------------------------------------

@pytest.fixture
def letters(tmp_path):
    """Two mails in the outbox."""
    return delivery.outbox(tmp_path / "mail", [letter("budi@pangan.example"), letter("agus@pangan.example")])


@pytest.fixture
def book(tmp_path):
    return ledger.Ledger(f"sqlite:///{(tmp_path / 'ledger.sqlite').as_posix()}")


SETTINGS = {"cycle": "2026-10", "kind": "pack", "content": "c1", "revision": 1, "day": dt.date(2026, 10, 1), "domains": ("pangan.example",)}


def test_a_mail_is_sent_over_verified_tls_with_its_password_and_today_as_its_date(office, letters, book):
    result = delivery.send(letters, office.url, book, **SETTINGS)
    assert sorted(result.sent) == ["agus@pangan.example", "budi@pangan.example"] == sorted(office.readers)
    assert office.logins == [post_office.USER]
    assert {one["Date"].datetime.date() for one in office.mails} == {dt.datetime.now(dt.UTC).date()}
    assert {one["Message-ID"] for one in office.mails} == {read_file(path)["Message-ID"] for path in letters}


def read_file(path):
    return email.message_from_bytes(path.read_bytes(), policy=email.policy.default)


def test_starttls_is_verified_too(authority, trusted, letters, book):
    office = post_office.Office()
    controller = post_office.serve(authority, office, starttls=True)
    try:
        url = f"smtp://{post_office.USER}:{post_office.AS_IN_AN_ADDRESS}@localhost:{controller.port}"
        assert len(delivery.send(letters, url, book, **SETTINGS).sent) == 2
    finally:
        controller.stop(no_assert=True)


def test_sent_again_nothing_leaves(office, letters, book):
    delivery.send(letters, office.url, book, **SETTINGS)
    again = delivery.send(letters, office.url, book, **SETTINGS)
    assert len(again.before) == 2 and not again.sent and len(office.taken) == 2
    assert told(again) == [] and not again.failed


def test_another_sender_is_not_another_mail(office, letters, book, tmp_path):
    """The Message-ID ends in the sender's domain; the claim does not look at it."""
    delivery.send(letters, office.url, book, **SETTINGS)
    moved = delivery.outbox(tmp_path / "other", [letter("budi@pangan.example", sender="sop@new.example")])
    assert delivery.send(moved, office.url, book, **SETTINGS).before == ["budi@pangan.example"]


def told(result):
    return delivery.told(result, folder="mail", revision=1, command="sopnb send p --cycle 2026-10")


def everyone(result):
    """Every reader, from all the lists."""
    lists = (result.sent, result.before, result.unknown, result.refused, result.lasting, result.outside, result.waiting)
    return sorted(reader.split(" (")[0] for one in lists for reader in one)


def test_a_crash_after_sending_does_not_send_again(office, letters, book, monkeypatch):
    """The power fails between the server's yes and our note of it: the claim stands, and the next run says so."""
    record = book.record

    def cut(events):
        if events[0]["payload"]["state"] == "sent":
            raise KeyboardInterrupt
        return record(events)

    with monkeypatch.context() as power, pytest.raises(KeyboardInterrupt):
        power.setattr(book, "record", cut)
        delivery.send(letters[:1], office.url, book, **SETTINGS)
    result = delivery.send(letters, office.url, book, **SETTINGS)
    assert office.readers == [BUDI, AGUS] and result.unknown == [BUDI] and result.sent == [AGUS]
    assert result.failed and result.news, "found now: the owner must hear of it"
    assert told(result)[1].startswith(f"Unknown whether it arrived: {BUDI}. Not sent again by itself")
    again = delivery.send(letters, office.url, book, **SETTINGS)
    assert again.unknown == [BUDI] and again.failed and not again.news, "said at every run, told to the owner once"


def test_of_two_runs_that_claim_at_once_one_sends(office, letters, book, monkeypatch):
    """Both looked before either claimed: the ledger takes the same claim once."""
    before = delivery.standings(book, "2026-10", "pack")
    assert delivery.send(letters, office.url, book, **SETTINGS).sent
    known = delivery.standings
    monkeypatch.setattr(delivery, "standings", lambda *asked, first=[before]: first.pop() if first else known(*asked))
    late = delivery.send(letters, office.url, book, **SETTINGS)
    assert sorted(late.before) == [AGUS, BUDI] and len(office.taken) == 2, "looked at again: the other run has sent them"


def test_two_contents_under_one_identity_are_one_mail(office, letters, book, monkeypatch):
    """A run made the pack anew while an older one was being sent, both as revision 1: whoever claims first sends."""
    assert delivery.send(letters, office.url, book, **SETTINGS).sent
    known = delivery.standings
    monkeypatch.setattr(delivery, "standings", lambda *asked, first=[{}]: first.pop() if first else known(*asked))
    late = delivery.send(letters, office.url, book, **{**SETTINGS, "content": "c2", "domains": ("pangan.example",)})
    assert not late.sent and len(office.taken) == 2


@pytest.mark.parametrize(("answer", "tried_again"), [("451 greylisted, come back", True), ("550 no such person here", False)])
def test_a_passing_no_is_tried_again_and_a_lasting_one_is_not(office, letters, book, answer, tried_again):
    office.refuse, office.answer = {BUDI}, answer
    first = delivery.send(letters, office.url, book, **SETTINGS)
    assert first.failed and first.news and first.sent == [AGUS], "the others get theirs"
    assert (first.refused, first.lasting) == (([f"{BUDI} ({answer})"], []) if tried_again else ([], [f"{BUDI} ({answer})"]))
    office.refuse = set()
    second = delivery.send(letters, office.url, book, **SETTINGS)
    assert second.sent == ([BUDI] if tried_again else []) and second.failed is not tried_again
    assert office.readers == [AGUS, BUDI][:1 + tried_again]
    assert tried_again or (second.lasting == first.lasting and not second.news), "kept, said again, not news"


def test_a_lasting_no_ends_with_another_mail_another_server_or_a_word(office, letters, book, tmp_path):
    office.refuse, office.answer = {BUDI}, "554 too big"
    delivery.send(letters[:1], office.url, book, **SETTINGS)
    smaller = delivery.outbox(tmp_path / "smaller", [letter(BUDI, subject="shorter")])
    assert delivery.send(smaller, office.url, book, **SETTINGS).lasting == [f"{BUDI} (554 too big)"] and len(office.asked) == 2, "the mail changed"
    delivery.send(smaller, office.url.replace("localhost", "LOCALHOST"), book, **SETTINGS)
    assert len(office.asked) == 2, "the same server, written otherwise"
    one = delivery.standings(book, "2026-10", "pack")[delivery.local(smaller[0])]
    delivery.say(book, one, "resend", cycle="2026-10", kind="pack", by="Sari", day=dt.date(2026, 10, 2))
    office.refuse = set()
    assert delivery.send(smaller, office.url, book, **SETTINGS).sent == [BUDI]


@pytest.mark.parametrize("word", ["resend", "arrived"])
def test_a_mail_of_which_nobody_knows_waits_for_a_persons_word(authority, trusted, letters, book, word, quick):
    faults = iter(["take-drop"])
    office = rogue_office.Rogue(lambda stage: next(faults, "") if stage == "dot" else "")
    controller = rogue_office.serve(authority, office)
    try:
        first = delivery.send(letters[:1], office.url, book, **SETTINGS)
        assert first.unknown == [BUDI] and first.failed and first.news
        assert delivery.send(letters[:1], office.url, book, **SETTINGS).unknown == [BUDI] and sum(office.took.values()) == 1
        one = delivery.standings(book, "2026-10", "pack")[delivery.local(letters[0])]
        assert one.unknown and "SMTPServerDisconnected" in one.said
        delivery.say(book, one, word, cycle="2026-10", kind="pack", by="Sari", day=dt.date(2026, 10, 2))
        last = delivery.send(letters[:1], office.url, book, **SETTINGS)
    finally:
        controller.stop(no_assert=True)
    assert not last.failed and (last.sent, last.before) == (([BUDI], []) if word == "resend" else ([], [BUDI]))
    assert sum(office.took.values()) == (2 if word == "resend" else 1)
    said = book.everything()["payload"].str.contains(f'"by": "Sari".*"state": "{word}"')
    assert said.sum() == 1, "the word is on record, with the name"


# --- at every stage -------------------------------------------------------------------------------------------------

@pytest.fixture
def quick(monkeypatch):
    for name in ("SECONDS", "DOT_SECONDS", "BODY_SECONDS"):
        monkeypatch.setattr(smtp_line, name, rogue_office.PATIENCE)


EVERY = [(stage, fault) for stage, faults in rogue_office.FAULTS.items() for fault in faults]
# What becomes of the mail; anything before the mail itself leaves is a refusal or no line.
AT_THE_END = {"4xx": "refused", "5xx": "lasting", "421": "refused", "lie": "sent", "slow": "sent", "early-no": "lasting"}


@pytest.mark.parametrize(("stage", "fault"), EVERY, ids=lambda word: word)
def test_whatever_goes_wrong_one_mail_is_in_one_place(authority, trusted, letters, book, quick, stage, fault):
    """One fault, once, at one stage: the first run tells what became of the mail, the second never sends what may be there."""
    faults = iter([fault])
    office = rogue_office.Rogue(lambda at: next(faults, "") if at == stage else "")
    controller = rogue_office.serve(authority, office)
    try:
        first = delivery.send(letters[:1], office.url, book, **SETTINGS)
        assert office.met[stage, fault] == 1 or stage == "RSET", "the fault was met; nothing is reset where nothing was refused"
        second = delivery.send(letters[:1], office.url, book, **SETTINGS)
    finally:
        controller.stop(no_assert=True)
    assert everyone(first) == everyone(second) == [BUDI]
    assert sum(office.took.values()) <= 1
    if sum(office.took.values()) == 0 and not office.said_yes:
        assert not first.sent and not second.sent and (second.lasting or second.unknown)
    if stage in ("body", "dot"):
        state = AT_THE_END.get(fault, "unknown")
        assert getattr(first, state) or (fault == "early-yes" and first.sent), "a yes that is early by less than the line is long passes for one"
        assert bool(second.sent) == (state == "refused"), "only a clear no for now is tried again"
    elif (stage, fault) != ("DATA", "twice"):  # go on, and no: the no may be seen before the mail leaves, or after
        assert first.sent or second.sent or (fault == "5xx" and first.lasting), "nothing had left: tried again"
        assert not first.unknown


def test_the_body_arrives_as_it_stands_dots_and_all(office, letters, book):
    delivery.send(letters[:1], office.url, book, **SETTINGS)
    assert office.mails[0].get_content().replace("\r\n", "\n") == "540 hours are missing.\n.\n..two dots\n"


def test_a_broken_line_is_opened_again_for_the_others(authority, trusted, tmp_path, book, quick):
    """The third of five breaks the line: the last two still leave in this run."""
    faults = iter(["", "", "drop"])
    office = rogue_office.Rogue(lambda stage: next(faults, "") if stage == "RCPT" else "")
    controller = rogue_office.serve(authority, office)
    try:
        many = delivery.outbox(tmp_path / "many", [letter(f"r{i}@pangan.example") for i in range(5)])
        result = delivery.send(many, office.url, book, **SETTINGS)
    finally:
        controller.stop(no_assert=True)
    assert len(result.sent) == 4 and len(result.refused) == 1 and not result.waiting


def test_a_server_that_breaks_every_line_is_left_for_the_next_run(authority, trusted, tmp_path, book, quick):
    office = rogue_office.Rogue(lambda stage: "drop" if stage == "RCPT" else "")
    controller = rogue_office.serve(authority, office)
    try:
        many = delivery.outbox(tmp_path / "many", [letter(f"r{i}@pangan.example") for i in range(6)])
        result = delivery.send(many, office.url, book, **SETTINGS)
    finally:
        controller.stop(no_assert=True)
    assert len(result.refused) == delivery.BREAKS and len(result.waiting) == 3 and "broke 3 times" in result.fault and result.failed


# --- to whom --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("address", "domains", "goes"), [
    ("ann@example.com", ["example.com"], True),
    ("ann@EXAMPLE.com", ["Example.COM"], True),
    ("ann+pack@example.com", ["example.com"], True),
    ("ann@mail.example.com", ["example.com"], False),
    ("ann@mail.example.com", ["*.example.com"], True),
    ("ann@a.b.example.com", ["*.example.com"], True),
    ("ann@example.com", ["*.example.com"], False),
    ("ann@badexample.com", ["example.com", "*.example.com"], False),
    ("ann@example.com.evil.example", ["example.com", "*.example.com"], False),
    ("ann@example.com.", ["example.com"], False),
    ("a@example.com@evil.example", ["example.com"], False),
    ("a@evil.example@example.com", ["example.com"], False),
    ('"a@example.com"@evil.example', ["example.com"], False),
    ('"a b"@example.com', ["example.com"], False),
    ("a%evil.example@example.com", ["example.com"], False),
    ("evil.example!a@example.com", ["example.com"], False),
    ("ann@ex\u0430mple.com", ["example.com"], False),  # a Cyrillic letter
    ("ann@\uff45xample.com", ["example.com"], False),  # a full-width letter, which some libraries turn into ours
    ("\u0430nn@example.com", ["example.com"], False),
    ("ann@xn--exmple-4nf.com", ["example.com"], False),  # the same Cyrillic name, as it travels
    ("ann@[127.0.0.1]", ["example.com"], False),
    ("ann@example.com\r\nRCPT TO:<b@evil.example>", ["example.com"], False),
    ("ann@example.com ", ["example.com"], False),
    (".ann@example.com", ["example.com"], False), ("a..b@example.com", ["example.com"], False),
    ("x" * 65 + "@example.com", ["example.com"], False),
    ("ann@example.com", [], False), ("", ["example.com"], False), ("@example.com", ["example.com"], False),
])
def test_mail_goes_only_to_plain_addresses_in_declared_domains(address, domains, goes):
    assert (recipients.refused(address, domains) == "") is goes


def test_without_domains_those_of_sender_and_owner_count():
    assert recipients.allowed([], "plan@a.example", "ann@b.example") == ("a.example", "b.example")
    assert recipients.allowed(["c.example"], "plan@a.example") == ("c.example",)


def test_a_reader_outside_gets_nothing_and_it_is_told(office, tmp_path, book):
    there = delivery.outbox(tmp_path / "mail", [letter(BUDI), letter("spy@evil.example")])
    result = delivery.send(there, office.url, book, **SETTINGS)
    assert office.readers == [BUDI] and result.failed
    assert told(result)[1].startswith("Not sent, no mail goes there: spy@evil.example (its domain is none of pangan.example). Mend the address, or declare")


@pytest.mark.parametrize("change", [
    lambda text: text.replace(b"Subject:", b"Bcc: spy@evil.example\r\nSubject:"),
    lambda text: text.replace(b"Subject:", b"Cc: spy@evil.example\r\nSubject:"),
    lambda text: text.replace(b"Subject:", b"To: spy@evil.example\r\nSubject:"),
    lambda text: text.replace(b"To: budi@pangan.example", b"To: budi@pangan.example, spy@evil.example"),
    lambda text: text.replace(b"To: budi@pangan.example", b"To: budi@pangan.example <spy@evil.example>"),
    lambda text: text.replace(b"Message-ID:", b"X-ID:"),
])
def test_a_file_that_somebody_changed_does_not_leave(office, letters, book, change):
    letters[0].write_bytes(change(letters[0].read_bytes()))
    result = delivery.send(letters[:1], office.url, book, **SETTINGS)
    assert len(result.outside) == 1 and not office.taken and result.failed


@pytest.mark.parametrize("field", ["name", "owner", "mail.sender", "mail.reports_url", "mail.domains"])
@pytest.mark.parametrize("attack", ["\r\nBcc: spy@evil.example", "\nBcc: spy@evil.example", "\rX: y", "\u2028X: y", "\x00"])
def test_a_line_break_in_what_stands_in_headers_is_refused_at_the_door(tmp_path, field, attack):
    settings = {"name": "Tiny", "sources": {"orders": {"path": "a"}, "items": {"path": "b"}}, "mail": {}}
    place = settings["mail"] if field.startswith("mail.") else settings
    value = "https://example.com/x" if "url" in field else "plan@example.com" if "sender" in field or field == "owner" else "example.com"
    place[field.removeprefix("mail.")] = [value + attack] if "domains" in field else value + attack
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(settings))
    with pytest.raises(problems.Problems) as refused:
        params.load(path)
    assert [problem.where.endswith(field) for problem in refused.value.problems] == [True]


# --- revisions ------------------------------------------------------------------------------------------------------

def test_another_content_is_a_revision_and_the_first_content_again_is_another_one(book):
    def note(content, revision):
        book.record([delivery._event(f"<{revision}@x>", "b@x", dt.date(2026, 10, 1),
                                     {"cycle": "2026-10", "report": "pack", "content": content, "revision": revision, "state": "sent", "attempt": 1})])

    assert delivery.revision(book, "2026-10", "pack", "A") == 1
    note("A", 1)
    assert [delivery.revision(book, "2026-10", "pack", content) for content in "AB"] == [1, 2]
    note("B", 2)
    assert [delivery.revision(book, "2026-10", "pack", content) for content in "AB"] == [3, 2]
    assert delivery.revision(book, "2026-10", "recap", "B") == delivery.revision(book, "2026-11", "pack", "B") == 1


def test_sending_does_not_change_what_the_steps_see_of_the_ledger(office, letters, book):
    before = book.digest("2026-12-31")
    delivery.send(letters, office.url, book, **SETTINGS)
    assert book.digest("2026-12-31") == before and len(book.everything()) == 6, "claimed, offered, sent"


# --- servers that must get nothing ----------------------------------------------------------------------------------

def nothing_claimed(book) -> bool:
    return book.everything().empty


@pytest.mark.parametrize("url", ["http://mail.example", "mail.example:25", "smtp://", "smtps://mail.example:port"])
def test_only_smtp_addresses_are_taken(url):
    with pytest.raises(mail.MailError, match="smtps://"):
        smtp_line.check(url)


def self_signed(folder):
    """A certificate that vouches for itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, name, now = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")]), dt.datetime.now(dt.UTC)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
            .not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False).sign(key, hashes.SHA256()))
    (folder / "own.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
                                     + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "own.pem")
    return {"context": context}


def expired(authority):
    return {"cert": authority.issue_cert("localhost", not_before=dt.datetime(2020, 1, 1), not_after=dt.datetime(2020, 2, 1))}


BAD = {
    "self-signed": (lambda authority, folder: self_signed(folder), "self-signed certificate"),
    "expired": (lambda authority, folder: expired(authority), "certificate has expired"),
    "wrong host": (lambda authority, folder: {"cert": authority.issue_cert("elsewhere.example")}, "not valid for 'localhost'"),
    "unknown authority": (lambda authority, folder: {"cert": trustme.CA().issue_cert("localhost")}, "CERTIFICATE_VERIFY_FAILED"),
}


@pytest.mark.parametrize("smtps", [False, True], ids=["starttls", "smtps"])
@pytest.mark.parametrize("which", BAD)
def test_a_certificate_that_proves_nothing_gets_no_password_and_no_mail(authority, trusted, letters, book, tmp_path, which, smtps):
    make, why = BAD[which]
    office = rogue_office.Rogue()
    controller = rogue_office.serve(authority, office, smtps=smtps, **make(authority, tmp_path))
    try:
        result = delivery.send(letters, office.url, book, **SETTINGS)
    finally:
        controller.stop(no_assert=True)
    assert why in result.fault and "s3cret" not in result.fault and result.failed and sorted(result.waiting) == [AGUS, BUDI]
    assert not {"AUTH", "MAIL", "DATA"} & set(office.heard) and not office.logins and not office.taken and nothing_claimed(book)


@pytest.mark.parametrize("fault", [fault for fault in rogue_office.ANY if fault != "slow"])
def test_starttls_that_goes_wrong_gets_no_password_and_no_mail(authority, trusted, letters, book, quick, fault):
    """No, nonsense, silence; and words that an eavesdropper put behind the yes, to be taken for the server's later on."""
    office = rogue_office.Rogue(lambda stage: fault if stage == "STARTTLS" else "")
    controller = rogue_office.serve(authority, office)
    try:
        result = delivery.send(letters, office.url, book, **SETTINGS)
    finally:
        controller.stop(no_assert=True)
    assert result.fault and "AUTH" not in office.heard and not office.logins and nothing_claimed(book)


def test_a_good_server_hears_the_password(authority, trusted, letters, book):
    """The tests above are worth nothing if the server could not hear it."""
    office = rogue_office.Rogue()
    controller = rogue_office.serve(authority, office)
    try:
        assert len(delivery.send(letters, office.url, book, **SETTINGS).sent) == 2
    finally:
        controller.stop(no_assert=True)
    assert office.heard[:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"] and office.logins == [post_office.USER]


def test_a_wrong_password_is_told_without_it(office, letters, book):
    result = delivery.send(letters, office.url.replace("s3cret", "wr0ng"), book, **SETTINGS)
    assert result.fault == "No line to localhost: user or password refused." and result.failed and nothing_claimed(book)


def test_a_server_that_is_not_there_is_tried_again_at_the_next_run(office, letters, book):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        gone = f"smtps://localhost:{free.getsockname()[1]}"
    result = delivery.send(letters, gone, book, **SETTINGS)
    assert result.failed and "refused" in result.fault and nothing_claimed(book)
    assert len(delivery.send(letters, office.url, book, **SETTINGS).sent) == 2


def test_a_server_that_offers_no_tls_gets_nothing(letters, book):
    """A plain SMTP server, or one whose STARTTLS somebody on the way took out: refused, and the password never leaves or shows."""
    heard: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        connection, _ = listener.accept()
        with connection, connection.makefile("rwb") as line:
            connection.sendall(b"220 test\r\n")
            for said in line:
                heard.append(said)
                connection.sendall(b"221 bye\r\n" if said.startswith(b"QUIT") else b"250 test\r\n")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listener:
        result = delivery.send(letters, f"smtp://user:s3cret@127.0.0.1:{listener.getsockname()[1]}", book, **SETTINGS)
    thread.join(5)
    assert result.fault.startswith("No line to 127.0.0.1: SMTPNotSupportedError") and "s3cret" not in result.fault
    assert nothing_claimed(book) and not [said for said in heard if said.upper().startswith((b"AUTH", b"MAIL", b"DATA"))]
