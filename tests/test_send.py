"""`sopnb send` and `sopnb remind`: when what leaves, to whom, once; what would; and a person's word where nobody knows."""

from __future__ import annotations

import asyncio
import datetime as dt
import email
import email.policy
import threading
import time

import pytest
import rogue_office
from PIL import Image
from post_office import Office
from tiny import ITEMS, ORDERS, PEOPLE, WORK, add, events, here, write_notebook

from sopnb import ledger, mail_shot, outgoing, posting, reminding, run, smtp_line

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH")

MONTH = "reports/tiny/2026-03"
SEND = ("send", "params/tiny.yaml")
ANN, BOB, OWNER = "ann@tiny.example", "bob@tiny.example", "owner@tiny.example"


def pack(**options) -> run.Outcome:
    return here(pages=True, **options)


@pytest.fixture
def early(peopled, office, monkeypatch):
    """The pack leaves three days before the meeting, which is on the 8th."""
    monkeypatch.setenv("TINY_SMTP", office.url)
    add(peopled, "as_of: 2026-03-02\nmail: {send: {days_before: 3}, smtp: 'env:TINY_SMTP', sender: plan@tiny.example}\n")
    return peopled


def book(project) -> ledger.Ledger:
    return ledger.open(None, project / "reports/tiny")


# --- when -----------------------------------------------------------------------------------------------------------

def test_days_before_the_run_leaves_the_mail_in_the_outbox_and_says_until_when(early, office):
    outcome = pack()
    assert outcome.code == run.OK and not office.taken and len(list((early / MONTH / "mail").glob("*.eml"))) == 2
    assert outcome.notes == ["2 mails in reports/tiny/2026-03/mail/; `sopnb send params/tiny.yaml --due` sends them from 5 March 2026 to the meeting on 8 March 2026."]


@pytest.mark.parametrize(("day", "leaves"), [("2026-03-04", False), ("2026-03-05", True), ("2026-03-08", True), ("2026-03-09", False)])
def test_the_pack_leaves_in_its_days(early, office, sopnb, day, leaves):
    pack()
    said = sopnb(*SEND, "--due", "--as-of", day)
    assert sorted(office.readers) == ([ANN, BOB] if leaves else [])
    assert said.code == (run.UNSENT if day == "2026-03-09" else run.OK)


def test_every_day_of_the_window_sends_once(early, office, sopnb):
    pack()
    for day in range(3, 12):
        assert sopnb(*SEND, "--due", "--as-of", f"2026-03-{day:02}").code == run.OK
    assert sorted(office.readers) == [ANN, BOB] and sopnb(*SEND, "--due", "--as-of", "2026-03-06").out == "2026-03: nothing to send.\n"


def test_after_the_meeting_it_is_said_once_who_never_got_it(early, office, sopnb):
    pack()
    late = sopnb(*SEND, "--due", "--as-of", "2026-03-09")
    assert late.code == run.UNSENT and f"of use until 8 March 2026, the day of its meeting, and that is over. Without this edition for sure: {ANN}, {BOB}" in late.out
    assert [sopnb(*SEND, *more, "--as-of", "2026-03-10").code for more in (["--due"], [])] == [run.OK, run.OK]
    assert not office.taken


def test_a_run_after_the_meeting_sends_no_pack_either(peopled, office, monkeypatch):
    monkeypatch.setenv("TINY_SMTP", office.url)
    add(peopled, "as_of: 2026-03-20\nmail: {send: after_run, smtp: 'env:TINY_SMTP', sender: plan@tiny.example}\n")
    assert "of use until 8 March 2026" in pack().notes[0] and not office.taken


def test_a_person_sends_before_the_day(early, office, sopnb):
    pack()
    assert sopnb(*SEND, "--as-of", "2026-03-02").out == "2 mails sent; copies in reports/tiny/2026-03/mail/.\n"
    assert sopnb(*SEND, "--as-of", "2026-03-06").out == "2026-03: everybody has the pack.\n"


def test_never_is_never(peopled, office, sopnb, monkeypatch):
    monkeypatch.setenv("TINY_SMTP", office.url)
    add(peopled, "as_of: 2026-03-02\nmail: {send: never, smtp: 'env:TINY_SMTP', sender: plan@tiny.example}\n")
    pack()
    said = sopnb(*SEND)
    assert said.code == run.BAD_INPUT and "mail.send: is never, so nothing is sent" in said.err and not office.taken


def test_a_backfilled_cycle_has_nothing_to_send_and_the_coming_one_must_be_run_with_its_pages(early, office, sopnb):
    here(cycle_month="2026-02")
    here()
    said = sopnb(*SEND, "--due", "--as-of", "2026-03-06")
    assert said.code == run.UNSENT and said.out == "2026-03: no mails were made. Make them: sopnb run params/tiny.yaml --cycle 2026-03\n"


def test_without_smtp_settings_there_are_files_and_it_says_so(peopled, sopnb):
    pack(cycle_month="2026-02")
    pack()
    said = sopnb(*SEND, "--due", "--as-of", "2026-03-06")
    assert said.code == run.OK and said.out == "2 mails written as .eml files to reports/tiny/2026-03/mail/; no SMTP settings (mail: smtp:), so nothing was sent.\n"


@pytest.mark.parametrize(("words", "wrong"), [
    (["--cycle", "2026-01"], "tiny 2026-01: was not published"), (["--cycle", "March"], "'March' is not a month"),
    (["--as-of", "yesterday"], "--as-of: 'yesterday' is not a day"), (["--arrived", ANN], "--who: is missing"),
    (["--arrived", "zoe", "--who", "Sari"], "of 2026-03 there is no mail to zoe"),
])
def test_wrong_words_are_told_and_nothing_leaves(early, office, sopnb, words, wrong):
    pack()
    said = sopnb(*SEND, *words)
    assert said.code == run.BAD_INPUT and wrong in said.err and not office.taken


def test_with_nothing_published_it_says_what_to_do(early, sopnb):
    said = sopnb(*SEND)
    assert said.code == run.BAD_INPUT and "Run one first: sopnb run params/tiny.yaml" in said.err


# --- nothing wrong goes out -----------------------------------------------------------------------------------------

RED = ("c.save(findings=frames.typed(pd.DataFrame([{'id': 'F1', 'source': 'orders', 'rule': 'findings.unknown_item', 'severity': 'red', 'rows': 1, "
       "'of_rows': 3, 'values': '{\"source\": \"orders\", \"rows\": 1, \"amount\": 2.5, \"first\": \"3\"}'}]), frames.FINDINGS))")


def test_red_holds_until_it_is_waived(early, office, sopnb):
    write_notebook(early / "notebooks/01_collect.ipynb", [*WORK["01_collect"], RED])
    pack()
    said = sopnb(*SEND, "--due", "--as-of", "2026-03-06")
    assert said.code == run.RED and "Mail held, the data verdict is red: orders (unknown_item)" in said.out and not office.taken
    add(early, "quality: {waive: [{rule: unknown_item, source: orders, cycle: 2026-03, owner: Sari, reason: known}]}\n")
    pack()
    assert sopnb(*SEND, "--due", "--as-of", "2026-03-06").code == run.OK and len(office.taken) == 2


def spoiled_inputs(project):
    (project / "data/tiny/2026-03/orders.csv").write_text(ORDERS.replace("2026-02-11,5", "2026-02-11,50"))


def spoiled_headline(project):
    page = project / MONTH / "index.html"
    page.write_text("<html><h1> </h1></html>")


def spoiled_mail(project):
    path = next((project / MONTH / "mail").glob("ann*.eml"))
    path.write_bytes(path.read_bytes() + b"more")


def spoiled_tables(project):
    (project / MONTH / "tables/market.parquet").unlink()


def lost_mail(project):
    next((project / MONTH / "mail").glob("ann*.eml")).unlink()


@pytest.mark.parametrize(("spoil", "why"), [
    (spoiled_inputs, "its inputs, code or parameters changed since it was made"), (spoiled_headline, "files of it were changed or removed"),
    (spoiled_mail, "files of it were changed or removed"), (spoiled_tables, "files of it were changed or removed"), (lost_mail, "files of it were changed or removed"),
])
def test_a_stale_or_blank_set_is_not_sent(early, office, sopnb, spoil, why):
    pack()
    spoil(early)
    said = sopnb(*SEND, "--due", "--as-of", "2026-03-06")
    assert said.code == run.UNSENT and why in said.out and "sopnb run params/tiny.yaml --cycle 2026-03" in said.out and not office.taken
    pack(force=True)
    assert sopnb(*SEND, "--due", "--as-of", "2026-03-06").code == run.OK and sorted(office.readers) == [ANN, BOB]


def test_a_set_of_empty_tables_or_half_the_steps_is_not_sent(early, office):
    pack(through="03")
    job = outgoing.job_of(*places(early), "2026-03")
    manifest = run.reuse.manifest(job.target)
    assert posting.unfit(job, manifest, "pack") == "its steps 04, 05 have not been run"
    write_notebook(early / "notebooks/02_demand.ipynb", ["c.save(market=frames.empty(frames.MARKET))"])
    write_notebook(early / "notebooks/03_supply.ipynb", ["c.save(rates=pd.DataFrame({'currency': ['USD'], 'month': [c.month], 'rate': [1.0]}))"])
    pack()
    assert posting.unfit(job, run.reuse.manifest(job.target), "pack") == "the tables of 02 are empty"
    assert posting.unfit(job, {**run.reuse.manifest(job.target), "cycle": "2026-02"}, "pack").startswith("its manifest names another")


def test_a_page_without_a_headline_is_blank(early):
    pack()
    job = outgoing.job_of(*places(early), "2026-03")
    manifest = run.reuse.manifest(job.target)
    spoiled_headline(early)
    manifest["pages"]["index.html"] = run.steps.file_digest(job.target / "index.html")
    assert posting.unfit(job, manifest, "pack") == "its first page has no headline"


def test_a_mail_of_another_edition_does_not_leave(early, office, sopnb):
    """Somebody put last month's mail into the folder: its identity is another one."""
    pack()
    pack(cycle_month="2026-02")
    job = outgoing.job_of(*places(early), "2026-03")
    old = next((early / "reports/tiny/2026-02/mail").glob("ann*.eml"))
    (job.target / "mail" / "zzz.eml").write_bytes(old.read_bytes())
    assert [path.name for path in posting.letters(job, run.reuse.manifest(job.target), "pack")[0]] == sorted(p.name for p in (job.target / "mail").glob("[ab]*.eml"))


def places(project):
    from sopnb import params
    from sopnb import project as projects

    where = projects.places("params/tiny.yaml")
    return where, params.load(where.params_file)


# --- what would happen ----------------------------------------------------------------------------------------------

def test_a_dry_run_says_what_would_become_of_each_and_sends_nothing(early, office, sopnb, monkeypatch):
    monkeypatch.setattr(mail_shot, "program", lambda: "")
    for name in ("2026-02", "2026-03"):
        (early / f"data/tiny/{name}/people.csv").write_text(PEOPLE + "p3,Eve,Sales,eve@evil.example,False,,en,pack\np4,Dan,Sales,dan,False,,en,pack\n")
    pack()
    before = sopnb(*SEND, "--dry-run", "--as-of", "2026-03-03")
    assert before.code == run.OK and before.out.count("sent from 5 March 2026 on, by send --due") == 2
    assert "not sent: its domain is none of tiny.example" in before.out and "No mail for p4" in before.out
    assert "3 .eml, no pictures, since there is no Chromium on this machine." in before.out
    assert len(list((early / "reports/tiny/.draft/2026-03/mail").glob("*.eml"))) == 3 and not office.taken
    office.refuse = {BOB}
    assert sopnb(*SEND, "--as-of", "2026-03-06").code == run.UNSENT
    after = sopnb(*SEND, "--dry-run", "--as-of", "2026-03-06").out
    assert "has it" in after and "refused for good (550 no such person here)" in after


def test_a_dry_run_needs_no_settings(peopled, sopnb, monkeypatch):
    monkeypatch.setattr(mail_shot, "program", lambda: "")
    pack()
    assert sopnb(*SEND, "--dry-run").out.count("stays a file: no SMTP settings") == 2 or "not sent: 8 March 2026 is over" in sopnb(*SEND, "--dry-run").out


PIXEL = ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC")


def test_a_browser_whose_helpers_still_write_spoils_no_picture(tmp_path, monkeypatch):
    def left(cls, name, ignore_errors=False, **_):
        if not ignore_errors:
            raise OSError(39, "Directory not empty")

    def draws(command, **_):
        Image.new("RGB", (8, 8), "white").save(next(one for one in command if "screenshot" in one).partition("=")[2])

    monkeypatch.setattr(mail_shot.tempfile.TemporaryDirectory, "_rmtree", classmethod(left))
    monkeypatch.setattr(mail_shot.subprocess, "run", draws)
    (tmp_path / "a.eml").write_bytes(b"Subject: a\r\nContent-Type: text/html\r\n\r\n<p>a</p>\r\n")
    assert mail_shot.picture(tmp_path / "a.eml", tmp_path / "a.png") and (tmp_path / "a.png").is_file()


def test_a_picture_shows_the_mail_with_its_images(tmp_path):
    import base64
    from email.message import EmailMessage

    message = EmailMessage()
    message.set_content("text")
    message.add_alternative('<html><head></head><body style="margin:0"><p>Hello</p><img src="cid:dot" width="300" height="200"></body></html>', subtype="html")
    message.get_payload()[1].add_related(base64.b64decode(PIXEL), "image", "png", cid="<dot>")
    path = tmp_path / "one.eml"
    path.write_bytes(message.as_bytes())
    assert f"data:image/png;base64,{PIXEL}" in mail_shot.standing_alone(path)
    if not mail_shot.program():
        pytest.skip("no Chromium on this machine")
    from PIL import Image

    assert mail_shot.picture(path, tmp_path / "one.png")
    with Image.open(tmp_path / "one.png") as image:
        assert image.width == mail_shot.WIDTH and 230 < image.height < 500, "cut where the mail ends"
        assert any(pixel[0] > 200 > 60 > pixel[1] for pixel in image.convert("RGB").getdata()), "the red dot, drawn large"


# --- a person's word ------------------------------------------------------------------------------------------------

@pytest.fixture
def doubtful(peopled, authority, trusted, monkeypatch):
    """A server that takes Ann's mail and drops the line; afterwards it is honest."""
    faults = iter(["take-drop"])
    office = rogue_office.Rogue(lambda stage: next(faults, "") if stage == "dot" else "")
    controller = rogue_office.serve(authority, office)
    monkeypatch.setattr(smtp_line, "SECONDS", 5)
    monkeypatch.setenv("TINY_SMTP", office.url)
    add(peopled, "as_of: 2026-03-05\nmail: {send: after_run, smtp: 'env:TINY_SMTP', sender: plan@tiny.example}\n")
    yield office
    controller.stop(no_assert=True)


def test_what_nobody_knows_is_shown_everywhere_and_waits(doubtful, sopnb):
    outcome = pack()
    assert outcome.code == run.UNSENT and any(f"Unknown whether it arrived: {ANN}" in note for note in outcome.notes)
    assert doubtful.readers == [ANN, BOB, OWNER], "the others got theirs, the owner hears"
    told = doubtful.mails[-1]
    assert "Unknown whether it arrived: ann@tiny.example" in told.get_body().get_content() and "mailed" in next(told.iter_attachments()).get_content()
    for words in ((*SEND,), (*SEND, "--due"), ("run", "params/tiny.yaml", "--no-pages")):
        said = sopnb(*words)
        assert said.code == (run.OK if "run" in words else run.UNSENT) and ("run" in words or f"Unknown whether it arrived: {ANN}" in said.out)
    status = sopnb("status", "params/tiny.yaml").out
    assert f"2026-03 pack: unknown whether it arrived at {ANN}. Ask, then: sopnb send params/tiny.yaml --cycle 2026-03 --arrived {ANN} --who NAME" in status
    assert doubtful.readers == [ANN, BOB, OWNER], "nothing left again, and the owner heard once"


@pytest.mark.parametrize("called", [ANN, "p1", "Ann", "all"])
def test_it_arrived_says_a_person(doubtful, sopnb, called):
    pack()
    said = sopnb(*SEND, "--arrived", called, "--who", "Sari")
    assert said.code == run.OK and f"2026-03, pack, {ANN}: it arrived, says Sari." in said.out and doubtful.readers.count(ANN) == 1
    assert "unknown" not in sopnb("status", "params/tiny.yaml").out and "has it, says Sari" in sopnb(*SEND, "--dry-run").out


def test_send_it_again_says_a_person(doubtful, sopnb):
    pack()
    said = sopnb(*SEND, "--resend", ANN, "--who", "Sari")
    assert said.code == run.OK and "1 mail sent" in said.out and doubtful.readers.count(ANN) == 2
    assert sopnb(*SEND).code == run.OK and doubtful.readers.count(ANN) == 2, "once a word"


def test_a_killed_process_leaves_a_claim_that_counts_as_unknown(early, office, sopnb):
    pack()
    job = outgoing.job_of(*places(early), "2026-03")
    ann = posting.letters(job, run.reuse.manifest(job.target), "pack")[0][0]
    from sopnb import delivery

    facts = {"cycle": "2026-03", "report": "pack", "revision": 1, "state": "claimed", "attempt": 1}
    book(early).record([delivery._event(delivery.local(ann), ANN, dt.date(2026, 3, 2), facts)])
    assert f"unknown whether it arrived at {ANN}" in sopnb("status", "params/tiny.yaml").out
    said = sopnb(*SEND, "--due", "--as-of", "2026-03-06")
    assert said.code == run.UNSENT and f"Unknown whether it arrived: {ANN}" in said.out and office.readers == [BOB, OWNER]


# --- at once --------------------------------------------------------------------------------------------------------

def test_a_run_and_two_senders_at_once_send_each_mail_once(early, office, monkeypatch):
    pack()
    params_text = (early / "params/tiny.yaml").read_text()
    (early / "params/tiny.yaml").write_text(params_text.replace("{days_before: 3}", "after_run"))
    where, company = places(early)
    done: list[object] = []

    def sender():
        done.append(outgoing.send(where, company, "2026-03", day=dt.date(2026, 3, 6), due=True))

    def runner():
        try:
            done.append(pack())
        except run.Busy:
            done.append("busy")

    threads = [threading.Thread(target=one) for one in (sender, runner, sender)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert len(done) == 3 and sorted(office.readers) == [ANN, BOB]


def test_a_send_waits_for_a_run_and_gives_up_after_a_while(early, office, sopnb, monkeypatch):
    pack()
    monkeypatch.setattr(outgoing, "PATIENCE", 0.6)
    job = outgoing.job_of(*places(early), "2026-03")
    began = time.monotonic()
    with run._lock(job):
        said = sopnb(*SEND, "--due", "--as-of", "2026-03-06")
    assert said.code == run.BUSY and time.monotonic() - began > 0.5 and not office.taken


# --- the recap ------------------------------------------------------------------------------------------------------

@pytest.fixture
def recapped(peopled, office, monkeypatch):
    """The recap of a tiny project has no meeting behind it: its mails are made here, by edition."""
    from sopnb import delivery, mail, recap

    monkeypatch.setenv("TINY_SMTP", office.url)
    add(peopled, "as_of: 2026-03-09\nmail: {send: after_run, smtp: 'env:TINY_SMTP', sender: plan@tiny.example}\n")
    edition = {"revision": 1, "content": "c1"}

    def mails(job, build, manifest):
        manifest["recap"] = dict(edition)
        page = {"header": {"company": job.company.name, "cycle": job.name}}
        letter = email.message.EmailMessage(policy=smtp_line.POLICY)
        letter["From"], letter["To"], letter["Subject"], letter["Date"] = "plan@tiny.example", ANN, f"Recap {edition['revision']}", dt.datetime(2026, 3, 8, tzinfo=dt.UTC)
        ids = [mail.message_id(page, kind="recap", revision=n, to=ANN, sender="plan@tiny.example") for n in range(1, edition["revision"] + 1)]
        letter["Message-ID"], letter["References"] = ids[-1], " ".join(ids[:-1]) or None
        letter.set_content("what was decided")
        return delivery.outbox(build / "mail/recap", [letter])

    monkeypatch.setattr(recap, "mails", mails)
    pack()
    assert not office.taken, "the meeting is over: no pack"
    return edition


def test_a_recap_is_sent_once_and_a_corrected_one_in_its_thread(recapped, office, sopnb):
    first = here(pages=True, recap=True)
    assert (first.code, office.readers) == (run.OK, [ANN])
    assert here(pages=True, recap=True, force=True).code == run.OK and office.readers == [ANN]
    assert sopnb(*SEND, "--due").out == "2026-03: nothing to send.\n"
    recapped.update(revision=2, content="c2")
    here(pages=True, recap=True, force=True)
    assert office.readers == [ANN, ANN] and [one["Subject"] for one in office.mails] == ["Recap 1", "Recap 2"]
    assert office.mails[1]["References"] == office.mails[0]["Message-ID"]


def test_a_recap_that_did_not_leave_is_sent_by_the_scheduler_until_the_next_meeting(recapped, office, sopnb, monkeypatch):
    monkeypatch.setenv("TINY_SMTP", "smtps://localhost:1")
    assert here(pages=True, recap=True).code == run.UNSENT
    monkeypatch.setenv("TINY_SMTP", office.url)
    pack(force=True)
    assert (places("")[0].published("2026-03") / "mail/recap").is_dir(), "a later run keeps the recap's mails"
    assert sopnb(*SEND, "--due", "--as-of", "2026-04-08").code == run.OK and office.readers == [ANN]


def test_a_recap_is_not_sent_after_the_next_meeting(recapped, office, sopnb, monkeypatch):
    monkeypatch.setenv("TINY_SMTP", "smtps://localhost:1")
    here(pages=True, recap=True)
    monkeypatch.setenv("TINY_SMTP", office.url)
    assert "until 8 April 2026, the day of the next meeting" in sopnb(*SEND, "--due", "--as-of", "2026-04-09").out and not office.taken


# --- reminders ------------------------------------------------------------------------------------------------------

REMIND = ("remind", "params/tiny.yaml")


@pytest.fixture
def acted(early):
    """Ann has one action overdue, Bob one due on the 12th, Zoe has no address."""
    pack()
    for title, owner, due in (("Call the carrier", "p1", "2026-03-09"), ("Agree prices", "p2", "2026-03-12"), ("Count stock", "Zoe", "2026-03-09")):
        book(early).add(title=title, owner=owner, due=due, day="2026-03-02")
    return early


def test_owners_hear_of_what_is_due_once_a_day(acted, office, sopnb):
    first = sopnb(*REMIND, "--as-of", "2026-03-10")
    assert sorted(office.readers) == [ANN, BOB] and "No reminder for Zoe" in first.out and first.code == run.UNSENT
    assert "Call the carrier" in office.mails[office.readers.index(ANN)].get_body(("plain",)).get_content()
    book(acted).add(title="And another", owner="p1", due="2026-03-10", day="2026-03-10")
    assert sopnb(*REMIND, "--as-of", "2026-03-10").out.endswith("whoever has something due was reminded before.\n") and len(office.taken) == 2
    sopnb(*REMIND, "--as-of", "2026-03-11")
    assert len(office.taken) == 4 and len(list((acted / "reports/tiny/reminders/2026-03-11").glob("*.eml"))) == 2


@pytest.mark.parametrize(("day", "who"), [("2026-03-05", []), ("2026-03-06", [ANN]), ("2026-03-08", [ANN]), ("2026-03-09", [ANN, BOB])])
def test_remind_days_say_how_far_ahead(acted, office, sopnb, day, who):
    sopnb(*REMIND, "--as-of", day)
    assert sorted(office.readers) == who


def test_nobody_hears_that_nothing_is_due(early, office, sopnb):
    pack()
    said = sopnb(*REMIND, "--as-of", "2026-03-10")
    assert (said.code, said.out) == (run.OK, "2026-03-10: nothing is overdue, and nothing is due within 3 days.\n") and not office.taken
    assert not (early / "reports/tiny/reminders").exists()


def test_two_who_remind_at_once_remind_once_and_nobody_doubts_it(acted, office):
    """Without waiting for each other the one takes what the other is sending for a mail of which nobody knows."""
    slow, before = office.handle_DATA, len(office.taken)

    async def taking(*given):
        await asyncio.sleep(0.4)
        return await slow(*given)

    office.handle_DATA = taking
    done: list[posting.Delivery] = []
    threads = [threading.Thread(target=lambda: done.append(reminding.remind(*places(acted), day=dt.date(2026, 3, 10))[0])) for _ in range(2)]
    for one in threads:
        one.start()
        time.sleep(0.1)
    for one in threads:
        one.join(60)
    said = [note for one in done for note in one.notes]
    assert sorted(office.readers[before:]) == [ANN, BOB] and not any("Unknown" in note for note in said) and any("was reminded before" in note for note in said)


def test_who_reminds_too_long_is_not_waited_for(acted, office, sopnb, monkeypatch):
    monkeypatch.setattr(reminding, "PATIENCE", 0.2)
    with reminding._alone(places(acted)[0]):
        said = sopnb(*REMIND, "--as-of", "2026-03-10")
    assert said.code == run.BUSY and not office.taken


def test_a_dry_reminder_writes_files_and_sends_nothing(acted, office, sopnb, monkeypatch):
    monkeypatch.setattr(mail_shot, "program", lambda: "")
    said = sopnb(*REMIND, "--dry-run", "--as-of", "2026-03-10")
    assert said.code == run.OK and "2 .eml" in said.out and not office.taken and not (acted / "reports/tiny/reminders").exists()
    sopnb(*REMIND, "--as-of", "2026-03-10")
    assert len(office.taken) == 2, "a dry run is no reminder"


def test_reminders_without_smtp_settings_are_files(peopled, sopnb):
    pack()
    book(peopled).add(title="Call", owner="p1", due="2026-03-09", day="2026-03-02")
    said = sopnb(*REMIND, "--as-of", "2026-03-10")
    assert said.code == run.OK and said.out == "1 mail written as .eml files to reports/tiny/reminders/2026-03-10/; no SMTP settings (mail: smtp:), so nothing was sent.\n"


def test_what_was_sent_is_on_record(early, office, sopnb):
    pack()
    sopnb(*SEND, "--as-of", "2026-03-06")
    mailed = [event for event in events(early) if event["event"] == "mailed"]
    assert mailed[0]["sent"] == [ANN, BOB] and mailed[0]["kind"] == "pack"
    assert isinstance(office, Office) and ITEMS
