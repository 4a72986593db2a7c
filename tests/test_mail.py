"""The mail read back with the standard library: both bodies whole, one identity, no header of its own."""

from __future__ import annotations

import email
import email.policy
import html.parser

import front_data as small
import pandas as pd
import pytest

from sopnb import delivery, front, mail, words


@pytest.fixture(scope="module")
def page():
    with words.speaking("en", "IDR"):
        return front.facts(small.tables(), small.past(), header=small.HEADER, links=small.LINKS, book=small.BOOK)


READER = {"to": "budi@pangan.example", "name": "Budi Hartono", "person": "P1", "sender": "sop@pangan.example", "owner": "sari@pangan.example"}


def read_back(message):
    return email.message_from_bytes(message.as_bytes(), policy=email.policy.default)


def test_a_mail_says_month_company_and_headline(page):
    found = read_back(mail.build(page, **READER))
    assert found["Subject"] == ("S&OP October 2026, Contoh Pangan: Biscuit oven is 318 hours short from January 2027: "
                                "decide on Rp 12.3 bn of sales by 12 Oct")
    assert found["To"] == "Budi Hartono <budi@pangan.example>"
    assert found["Reply-To"] == "sari@pangan.example" and found["Auto-Submitted"] == "auto-generated"
    assert found["List-Unsubscribe"] == "<mailto:sari@pangan.example?subject=unsubscribe>"
    assert found["Date"] == "Mon, 05 Oct 2026 00:00:00 +0000"
    assert found.get_content_type() == "multipart/alternative"


def test_the_text_is_complete_and_fits_78_columns(page):
    text = read_back(mail.build(page, **READER)).get_body(("plain",)).get_content()
    assert max(map(len, text.splitlines())) <= 78
    for word in ("Forecast accuracy", "1. Who covers 318 oven hours?", "A (recommended): add hours", "B: ration", "Actuals in", "540.0", "All other (8 exceptions)",
                 "16.8", "Co-packer price for 22,000", "Not available: stock"):
        assert word in text, word
    assert "Second source for chilli" not in text, "another reader's action"


def test_the_html_is_small_closed_and_fetches_nothing(page):
    body = read_back(mail.build(page, **READER, reports_url="https://reports.pangan.example/2026-10")).get_body(("html",)).get_content()
    assert len(body.encode()) < 30_000
    assert "<svg" not in body and "<script" not in body
    assert "&lt;b&gt;8,100&lt;/b&gt;" in body
    assert body.count("https://") == 1 and 'href="https://reports.pangan.example/2026-10"' in body

    class Closed(html.parser.HTMLParser):
        open: list[str]

        def handle_starttag(self, tag, attrs):
            if tag not in {"meta", "br", "img"}:
                self.open.append(tag)
            if tag == "th":
                assert dict(attrs).get("scope") in ("col", "row")

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

    parser = Closed()
    parser.open = []
    parser.feed(body)
    assert parser.open == []


def test_the_exceptions_in_the_mail_still_total(page):
    """Five shown (12.3 + 2.5 + 0.96 + 0.1 + 0.1), eight others (0.8), 16.76 in all."""
    text = read_back(mail.build(page, **READER)).get_body(("plain",)).get_content()
    block = "\n".join(text.splitlines()).split("\nExceptions\n")[1].split("\n\n")[0].splitlines()
    numbers = [line.rsplit(" ", 1)[1] for line in block[-7:]]
    assert numbers == ["12.3", "2.5", "1.0", "0.1", "0.1", "0.8", "16.8"]


def test_the_same_cycle_reader_and_revision_give_the_same_mail(page):
    one, again = mail.build(page, **READER), mail.build(page, **READER)
    assert one["Message-ID"] == again["Message-ID"]
    others = [mail.build(page, **READER, revision=2), mail.build(page, **READER, kind="recap"), mail.build(page, **{**READER, "to": "agus@pangan.example"})]
    assert len({one["Message-ID"], *(other["Message-ID"] for other in others)}) == 4
    assert one["Message-ID"].endswith("@pangan.example>")
    assert one.get_body(("html",)).get_content() == again.get_body(("html",)).get_content()


@pytest.mark.parametrize("field", ["to", "name", "sender", "owner"])
@pytest.mark.parametrize("attack", ["a@b.example\r\nBcc: all@b.example", "a@b.example\nX: y", "a@b.example\u2028Bcc: c@d.example"])
def test_a_line_break_in_an_address_or_name_is_refused(page, field, attack):
    with pytest.raises(mail.MailError, match="line break"):
        mail.build(page, **{**READER, field: attack})


@pytest.mark.parametrize("address", ["", "budi", "a@b.example, c@d.example", "<a@b.example>", "a b@c.example"])
def test_one_address_and_nothing_else(page, address):
    with pytest.raises(mail.MailError, match="not a mail address"):
        mail.build(page, **{**READER, "to": address})


def test_a_line_break_in_the_data_does_not_reach_the_subject(page):
    found = read_back(mail.build({**page, "headline": words.plain("Oven\r\nBcc: all@b.example short")}, **READER))
    assert found["Subject"].endswith("Oven Bcc: all@b.example short") and found["Bcc"] is None


def test_a_long_headline_is_cut_at_a_word(page):
    subject = mail.subject({**page, "headline": words.plain("oven " * 80)})
    assert len(subject) <= 160 and subject.endswith("oven…")


def test_the_pack_is_attached_whole(page, tmp_path):
    pack = tmp_path / "pack.html"
    pack.write_bytes("<!doctype html><p>é".encode() + b"\n" * 10)
    found = read_back(mail.build(page, **READER, attachment=pack))
    assert found.get_content_type() == "multipart/mixed"
    attached = next(found.iter_attachments())
    assert attached.get_filename() == "sop-contoh-pangan-2026-10.html" and attached.get_payload(decode=True) == pack.read_bytes()
    assert "sop-contoh-pangan-2026-10.html" in found.get_body(("plain",)).get_content().replace("\n", "")


def test_a_pack_over_the_limit_is_refused(page, tmp_path):
    (tmp_path / "pack.html").write_bytes(b" " * 3_000_001)
    with pytest.raises(mail.MailError, match="3,000,001 bytes"):
        mail.build(page, **READER, attachment=tmp_path / "pack.html")


def test_html_over_the_limit_is_refused(page):
    decisions = {**page["decisions"], "cards": page["decisions"]["cards"] * 60}
    with pytest.raises(mail.MailError, match="at most 80,000"):
        mail.build({**page, "decisions": decisions}, **READER)


def test_the_same_facts_give_the_same_bytes(page, tmp_path):
    """The standard library draws the boundary between parts at random; ours comes from the mail's id."""
    (tmp_path / "pack.html").write_text("<p>pack</p>")
    one, again = (mail.build(page, **READER, attachment=tmp_path / "pack.html").as_bytes() for _ in range(2))
    assert one == again


def test_a_revision_says_so_and_stands_under_the_mail_it_replaces(page):
    first, second = read_back(mail.build(page, **READER)), read_back(mail.build(page, **READER, revision=2))
    assert second["Subject"].startswith("S&OP October 2026, revision 2, Contoh Pangan: ")
    assert second["References"] == first["Message-ID"] and first["References"] is None
    for part in ("plain", "html"):
        assert "Revision 2" in second.get_body((part,)).get_content() and "evision" not in first.get_body((part,)).get_content()


def test_readers_are_those_who_get_the_pack_each_address_once():
    people = pd.DataFrame([("p1", "Budi", "b@x.example", "pack"), ("p2", "Agus", "a@x.example", "both"), ("p3", "Rina", "r@x.example", "recap"),
                           ("p4", "Nobody", None, "none"), ("p5", "Desk", "B@x.example ", "pack"), ("p6", None, "no address", "both")],
                          columns=["person", "name", "email", "gets"])
    readers, wrong = mail.readers(people, "pack")
    assert [reader["to"] for reader in readers] == ["b@x.example", "a@x.example"]
    assert len(wrong) == 1 and wrong[0].startswith("p6: 'no address' is not a mail address")
    assert mail.readers(None, "pack") == ([], [])


def test_mails_are_files_that_any_mail_program_opens(page, tmp_path):
    messages = [mail.build(page, **READER), mail.build(page, **{**READER, "to": "agus@pangan.example", "name": "Agus Santoso", "person": "P2"})]
    paths = delivery.outbox(tmp_path / "mail", messages)
    assert [path.suffix for path in paths] == [".eml", ".eml"] and len(set(paths)) == 2
    found = email.message_from_bytes(paths[1].read_bytes(), policy=email.policy.default)
    assert "Second source for chilli" in found.get_body(("plain",)).get_content()
    assert delivery.outbox(tmp_path / "mail", messages) == paths, "written again, the same files"


def test_a_red_verdict_holds_the_mail():
    assert [mail.may_send(verdict) for verdict in ("green", "amber", "red", "")] == [True, True, False, False]
