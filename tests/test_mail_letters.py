"""The envelope: parts, pictures, attachments, headers of any letters, threads, limits; read back with the strict parser."""

from __future__ import annotations

import datetime as dt
import email
import email.header
import email.policy
import html
import io
import re
import zipfile

import icalendar
import mail_cases as cases
import pytest
from PIL import Image, ImageFont

from sopnb import calendar_file, charts_canvas, letters, mail, mail_pictures, style, words


def strict(message):
    """The mail as the standard library's strict parser reads it: a defect would be raised."""
    return email.message_from_bytes(message.as_bytes(), policy=email.policy.strict)


def plain_letter(**other):
    given = {"subject": "S", "to": "a@b.example", "name": "A", "sender": "s@b.example", "company": "C", "owner": "", "date": dt.datetime(2026, 10, 1, tzinfo=dt.UTC),
             "message_id": "<1.sopnb@b.example>", "text": "t\n", "html": "<p>h</p>"}
    return letters.letter(**{**given, **other})


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    (folder / "pack.html").write_text("<!doctype html><p>é", encoding="utf-8")
    with zipfile.ZipFile(folder / "contoh-2026-10.xlsx", "w") as book:
        book.writestr("a", "b")
    with words.speaking("en", "IDR"):
        invitation = calendar_file.meeting(company="C", cycle="2026-10", starts=dt.datetime(2026, 10, 8, 9, tzinfo=dt.UTC), minutes=60, organizer="sari@pangan.example",
                                           attendees=[{"name": "Budi", "email": "budi@pangan.example", "mandatory": True}])
    return {"attachment": folder / "pack.html", "workbook": folder / "contoh-2026-10.xlsx", "calendar": invitation}


@pytest.mark.parametrize("kind", cases.MAILS)
def test_the_strict_parser_finds_no_defect_in_any_part(kind, files):
    found = strict(cases.pack(**files) if kind == "pack" else cases.MAILS[kind]())
    for part in found.walk():
        assert not part.defects and not any(value.defects for value in part.values())


@pytest.mark.parametrize("kind", cases.MAILS)
def test_no_line_of_a_mail_is_longer_than_78_characters(kind, files):
    raw = (cases.pack(**files) if kind == "pack" else cases.MAILS[kind]()).as_bytes()
    lines = [line for line in raw.split(b"\r\n") if line != b"Content-Type: application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"]  # one word of 79
    assert max(map(len, lines)) <= 78 and b"\n" not in raw.replace(b"\r\n", b"")
    raw.decode("ascii")


@pytest.mark.parametrize("kind", cases.MAILS)
def test_the_same_facts_give_the_same_bytes(kind, files):
    make = (lambda: mail.build(cases.page(), **cases.READER, **files)) if kind == "pack" else cases.MAILS[kind]
    assert make().as_bytes() == make().as_bytes()


def test_the_parts_are_alternatives_with_pictures_beside_the_html():
    found = strict(cases.pack())
    assert found.get_content_type() == "multipart/alternative"
    text, related = found.iter_parts()
    assert (text.get_content_type(), related.get_content_type()) == ("text/plain", "multipart/related")
    assert next(iter(related.iter_parts())).get_content_type() == "text/html"
    assert {part.get_content_type() for part in list(related.iter_parts())[1:]} == {"image/png"}


def test_every_picture_is_shown_and_every_shown_picture_is_there():
    found = strict(cases.pack())
    there = {part["Content-ID"].strip("<>") for part in found.walk() if part["Content-ID"]}
    html = cases.body(found)
    shown = {piece.split('"')[0] for piece in html.split('src="cid:')[1:]}
    assert there == shown and len(there) == 8
    assert all(part["Content-Disposition"].startswith("inline") for part in found.walk() if part["Content-ID"])
    other = strict(mail.build(cases.page(), **{**cases.READER, "to": "agus@pangan.example"}, drawn=cases.pictures()))
    assert there.isdisjoint({part["Content-ID"].strip("<>") for part in other.walk() if part["Content-ID"]}), "two mails in one thread keep their own"


@pytest.mark.parametrize(("name", "width"), [("plan-wide", 592), ("plan-phone", 328), ("load-wide", 592), ("line-otif", 264)])
def test_a_picture_has_two_dots_for_a_pixel_and_no_hole_for_a_dark_ground(name, width):
    picture = next(one for one in cases.pictures().all() if one.name == name)
    image = Image.open(io.BytesIO(picture.png))
    assert image.width == 2 * width and "transparency" not in image.info and image.mode == "P"
    assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
    assert len(picture.png) < 60_000


def test_the_words_for_a_picture_say_the_latest_value():
    said = {one.name: one.alt for one in cases.pictures().all()}
    assert said["plan-wide"] == said["plan-phone"] == (
        "Demand was Rp 81 bn in September 2026. The plan peaks at Rp 90 bn in October 2026 and stands at Rp 90 bn in September 2027.")
    assert said["line-otif"].startswith("On time in full. From ") and "93.1% in September 2026" in said["line-otif"]
    assert "Biscuit oven 135%" in said["load-wide"]


def test_measures_off_target_get_the_pictures():
    large, others = mail_pictures.cards(cases.page()["scorecard"])
    assert [card["state"] for card in large] == ["off", "watch", "on", "on"] and [card["kpi"] for card in others] == ["excess"]


def test_where_all_resources_have_room_a_sentence_says_so_instead_of_a_picture():
    load = cases.page()["capacity"]["load"]
    calm = {**cases.page(), "capacity": {**cases.page()["capacity"], "load": load.assign(hours=load["hours"] / 2, overtime=0)}}
    message = mail.build(calm, **cases.READER)
    assert not [part for part in message.walk() if "load" in str(part.get_filename())]
    for kind in ("plain", "html"):
        assert "Capacity" in cases.body(message, kind) and "Biscuit oven needs" in cases.body(message, kind) and "dotted" not in cases.body(message, kind)
    assert "the dotted line is with overtime" in cases.body(cases.pack())


def test_a_page_without_history_load_or_measures_has_no_pictures():
    empty = mail_pictures.of({"chart": None, "capacity": None, "scorecard": None})
    assert empty.all() == [] and empty.plan is None


def test_attached_are_page_workbook_and_calendar_each_with_its_type(files):
    found = strict(cases.pack(**files))
    assert found.get_content_type() == "multipart/mixed"
    page, book, calendar = found.iter_attachments()
    assert (page.get_filename(), page.get_content_type()) == ("sop-contoh-pangan-2026-10.html", "text/html")
    assert page.get_payload(decode=True) == files["attachment"].read_bytes()
    assert (book.get_filename(), book.get_content_type()) == ("contoh-2026-10.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
    assert calendar.get_content_type() == "text/calendar" and calendar.get_param("method") == "REQUEST" and calendar.get_content_disposition() == "attachment"
    assert icalendar.Calendar.from_ical(calendar.get_payload(decode=True))["method"] == "REQUEST"
    assert "sop-contoh-pangan-2026-10.html, contoh-2026-10.xlsx, invitation.ics" in " ".join(cases.body(found, "plain").split())


def test_the_invitation_is_never_an_alternative_of_the_body(files):
    """Exchange would make the whole mail a meeting item."""
    body = strict(cases.pack(**files)).get_payload(0)
    assert "text/calendar" not in {part.get_content_type() for part in body.walk()}


# --- headers --------------------------------------------------------------------------------------------------------

TEXTS = ["Plain words of one line", "S&OP Oktober – “Ñusantara” " * 5, "食品計画と需要と供給" * 9, "é", "a " * 70 + "é", "Ünïcödé" * 20]


@pytest.mark.parametrize("text", [text.strip() for text in TEXTS])
def test_subjects_and_names_of_any_letters_arrive_as_they_were(text):
    raw = plain_letter(subject=text, name=text, company=text).as_bytes()
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    found = strict(plain_letter(subject=text, name=text, company=text))
    assert found["Subject"] == text
    for name in ("To", "From"):  # read by the library's older decoder: the newer one puts a space between the parts of a long name
        header = email.message_from_bytes(raw)[name]
        shown, _, address = "".join(header.splitlines()).rpartition(" ")
        told = str(email.header.make_header(email.header.decode_header(shown))).strip('"')
        assert told == text and address in ("<a@b.example>", "<s@b.example>")


@pytest.mark.parametrize("where", ["subject", "name", "company"])
def test_an_encoded_word_in_the_data_writes_no_header(where):
    found = strict(plain_letter(**{where: "=?utf-8?q?Oven=0D=0ABcc:_all@b.example=0D=0A=0D=0Abody?= short"}))
    assert found["Bcc"] is None and cases.body(found, "plain").strip() == "t" and len(found["To"].addresses) == 1
    assert "= ?utf-8?q?Oven" in str(found[{"subject": "Subject", "name": "To", "company": "From"}[where]])


def test_ids_and_addresses_too_long_for_a_line_are_not_encoded():
    far = "x" * 60 + ".example"
    owner, id = f"{'o' * 60}@{far}", f"<{'1' * 32}.sopnb@{far}>"
    raw = plain_letter(owner=owner, message_id=id, earlier=[f"<{'2' * 32}.sopnb@{far}>", f"<{'3' * 32}.sopnb@{far}>"]).as_bytes().decode()
    assert f"Message-ID: {id}\r\n" in raw and f"List-Unsubscribe: <mailto:{owner}?subject=unsubscribe>\r\n" in raw
    assert f"References: <{'2' * 32}.sopnb@{far}>\r\n <{'3' * 32}.sopnb@{far}>\r\n" in raw and f"In-Reply-To: <{'3' * 32}.sopnb@{far}>\r\n" in raw
    assert "=?" not in raw.split("\r\n\r\n")[0]


def test_a_mail_read_again_and_written_again_is_the_same():
    message = plain_letter(subject=TEXTS[1].strip(), name=TEXTS[2])
    assert email.message_from_bytes(message.as_bytes(), policy=letters.POLICY).as_bytes() == message.as_bytes()


@pytest.mark.parametrize("given", ["büdi@pangan.example", "budi@bücher.example"])
def test_an_address_that_not_every_server_takes_is_refused_with_the_remedy(given):
    with pytest.raises(letters.MailError, match=r"xn--"):
        letters.address(given)


HOW_TO_READ = re.compile(r'<head>.*?</head>|<div style="display:none.*?</div>|<caption.*?</caption>|<th scope="col".*?</th>|<p class="mute".*?</p>', re.S)


@pytest.mark.parametrize("kind", cases.MAILS)
def test_the_text_says_every_word_and_number_that_the_html_says(kind):
    """But for signs, heads of columns, and how a picture is read."""
    message = cases.MAILS[kind]()
    said = html.unescape(re.sub(r"<[^>]+>", " ", HOW_TO_READ.sub(" ", cases.body(message))))
    text = " ".join(cases.body(message, "plain").split())
    words_said = set(re.findall(r"[^\s.,;:()·●▲◆▼]+(?:[.,][^\s.,;:()·]+)*", said))
    assert len(words_said) > 30 and {word for word in words_said if word not in text} == set()


@pytest.mark.parametrize("kind", cases.MAILS)
def test_every_mail_is_automatic_answered_by_the_owner_and_can_be_ended(kind):
    found = strict(cases.MAILS[kind]())
    assert found["Auto-Submitted"] == "auto-generated" and found["Reply-To"] == "sari@pangan.example"
    assert found["List-Unsubscribe"] == "<mailto:sari@pangan.example?subject=unsubscribe>" and found["Date"] and found["Message-ID"].endswith("@pangan.example>")


@pytest.mark.parametrize(("given", "subject"), [
    ("S&OP October 2026, Contoh Pangan: Rp 8.9 bn needs a decision by 8 October: do we recruit now for sales? " + "People to start in November: 1. " * 3,
     "S&OP October 2026, Contoh Pangan: Rp 8.9 bn needs a decision by 8 October: do we recruit now for sales? People to start in November: 1"),
    ("S&OP of PT. Contoh " + "word " * 40, "S&OP of PT. Contoh " + "word " * 27 + "word…"),
    ("Short. And whole.", "Short. And whole."),
])
def test_a_long_subject_ends_with_a_sentence_or_at_a_word(given, subject):
    assert letters.subject_line(given) == subject and len(subject) <= letters.SUBJECT_LIMIT


# --- limits ---------------------------------------------------------------------------------------------------------

def test_a_mail_of_more_than_a_megabyte_before_its_attachments_is_refused():
    big = letters.Picture("big", b"\x89PNG" + bytes(750_000), "", 592)
    with pytest.raises(letters.MailError, match=r"at most 1,000,000 are allowed"):
        plain_letter(pictures=[big])


def test_attachments_do_not_count_for_that_megabyte():
    assert len(plain_letter(attached=[letters.Attached("a.html", bytes(1_500_000), "text/html")]).as_bytes()) > 1_000_000


@pytest.mark.parametrize("kind", cases.MAILS)
def test_every_mail_keeps_far_from_its_limits(kind):
    message = cases.MAILS[kind]()
    assert len(cases.body(message).encode()) < letters.HTML_LIMIT / 2 and len(message.as_bytes()) < letters.MESSAGE_LIMIT / 4


# --- the type of pictures -------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("weight", "bold"), [("Regular", False), ("Bold", True)])
@pytest.mark.parametrize("text", ["Budget 108", "data to Sep 26", "Anggaran Rp 120 miliar", "Assorted Biscuit Tin 650 g", "−12.3%", "Feb 139"])
def test_words_in_pictures_are_no_wider_than_the_layout_counts_on(text, weight, bold):
    """matplotlib's own type is a sixth wider: a name at a line's end was cut off."""
    drawn = ImageFont.truetype(str(charts_canvas.type_file(weight)), 130).getlength(text) / 10
    assert drawn <= style.text_width(text, 13, bold) * 1.03


def test_a_decision_says_what_it_rests_on_why_one_answer_is_recommended_and_where_the_others_are():
    """The sentences of the front page's card, in both bodies; the picture is that of the page, in PNG."""
    asked = cases.page()["decisions"]
    card = {**asked["cards"][0], "said": words.plain("Biscuits alone is short."), "reason": "it is new money", "more": words.plain("Step 03 has option D too.")}
    message = mail.build({**cases.page(), "decisions": {**asked, "cards": [card]}}, **cases.READER, drawn=cases.pictures())
    for kind in ("html", "plain"):
        text = " ".join(cases.body(message, kind).split())
        assert "Biscuits alone is short." in text and "Why: it is new money." in text and "Step 03 has option D too." in text
    chart = cases.page()["chart"]
    with words.speaking("en", "IDR"):  # it is painted when asked for
        assert cases.pictures().plan.wide.png == chart.png(wide=True, width=mail_pictures.WIDE) and cases.pictures().plan.sub is chart.subtitle
