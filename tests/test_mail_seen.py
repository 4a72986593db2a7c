"""The mails in a real browser, at a phone's width, their own and a wide screen's, light and dark: nothing scrolls sideways, nothing is cut, all words can be read."""

from __future__ import annotations

import re
from pathlib import Path

import chromium
import mail_cases as cases
import pytest

pytestmark = pytest.mark.skipif(chromium.PROGRAM is None, reason=chromium.MISSING)
WIDTHS = (320, 640, 1280)

# What a reader meets: elements beyond the window or their own box, and the least contrast of words with what lies behind them.
MEASURE = """(() => {
  const wide = innerWidth, beyond = [], poor = [];
  const number = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = (c) => { const f = (v) => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }; return .2126 * f(c[0]) + .7152 * f(c[1]) + .0722 * f(c[2]); };
  const ground = (e) => { for (; e; e = e.parentElement) { const c = number(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
  let least = 21, words = 0;
  for (const e of document.body.querySelectorAll('*')) {
    const box = e.getBoundingClientRect();
    if (!e.checkVisibility() || !box.width) continue;
    if (box.right > wide + 1 || box.left < -1) beyond.push(e.tagName + ' ' + e.textContent.slice(0, 30));
    if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth && getComputedStyle(e).display !== 'inline') beyond.push('cut ' + e.tagName + ' ' + e.textContent.slice(0, 30));
    for (const node of e.childNodes) {
      if (node.nodeType !== 3 || !node.textContent.trim()) continue;
      words += 1;
      const style = getComputedStyle(e), a = light(number(style.color)), b = light(ground(e));
      const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
      least = Math.min(least, ratio);
      if (ratio < 4.5) poor.push(ratio.toFixed(2) + ' ' + node.textContent.trim().slice(0, 30));
      if (parseFloat(style.fontSize) < 12) poor.push('small ' + node.textContent.trim().slice(0, 30));
    }
  }
  const shown = [...document.images].filter((i) => i.checkVisibility());
  return {scroll: document.documentElement.scrollWidth, beyond, poor, least, words, ground: ground(document.body),
          pictures: shown.map((i) => i.getAttribute('src')), broken: shown.filter((i) => !i.naturalWidth).map((i) => i.getAttribute('src')),
          scales: shown.map((i) => [i.getAttribute('src'), i.getBoundingClientRect().width / (i.naturalWidth / 2)])};
})()"""


@pytest.fixture(scope="module")
def look(tmp_path_factory):
    with chromium.browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Each mail as a page, its pictures beside it: whole, without pictures, and as Gmail shows it to other accounts, without the rules in the head."""
    out = tmp_path_factory.mktemp("mails")
    for kind, make in cases.MAILS.items():
        message = make()
        body = cases.body(message)
        for part in message.walk():
            if part["Content-ID"]:
                name = f"{part.get_filename()}"
                (out / name).write_bytes(part.get_payload(decode=True))
                body = body.replace(f"cid:{part['Content-ID'].strip('<>')}", name)
        (out / f"{kind}.html").write_text(body, encoding="utf-8")
        (out / f"{kind}-off.html").write_text(re.sub(r'src="[^"]*"', 'src="none"', body), encoding="utf-8")
        (out / f"{kind}-plain.html").write_text(re.sub(r"<style>.*?</style>", "", body, flags=re.S), encoding="utf-8")
    return out


def seen(look, page: Path, width: int, dark: bool = False) -> dict:
    look.open(page, width=width, dark=dark)
    return look.evaluate(MEASURE)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", cases.MAILS)
def test_nothing_scrolls_nothing_is_cut_and_all_words_can_be_read(kind, width, dark, look, folder):
    said = seen(look, folder / f"{kind}.html", width, dark)
    assert said["scroll"] <= width and said["beyond"] == [] and said["poor"] == [] and said["broken"] == []
    assert said["least"] >= 4.5 and said["words"] > 15
    assert said["ground"] == ([11, 15, 19] if dark else [238, 241, 243]), "dark is asked for, and given"


@pytest.mark.parametrize("width", WIDTHS)
def test_a_phone_gets_the_pictures_drawn_for_it_and_each_is_shown_once(width, look, folder):
    said = seen(look, folder / "pack.html", width)
    size = "phone" if width <= 480 else "wide"
    assert {name for name in said["pictures"] if "line-" not in name} == {f"plan-{size}.png", f"load-{size}.png"}
    assert len(said["pictures"]) == 6
    for name, scale in said["scales"]:
        assert (0.85 if "line-" not in name else 0.45) < scale <= 1.05, f"{name}: words in a picture keep their size"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [320, 640])
def test_without_pictures_their_words_stand_there_and_nothing_breaks(width, dark, look, folder):
    said = seen(look, folder / "pack-off.html", width, dark)
    assert said["scroll"] <= width and said["poor"] == []
    text = " ".join(look.evaluate("[...document.images].filter((i) => i.checkVisibility()).map((i) => i.alt).join(' | ')").split())
    assert "Demand was Rp 81 bn in September 2026" in text and "Biscuit oven 135%" in text and text.count(" | ") == 5


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", cases.MAILS)
def test_without_the_rules_in_the_head_it_is_still_one_column_that_bends(kind, width, look, folder):
    said = seen(look, folder / f"{kind}-plain.html", width)
    assert said["scroll"] <= width and said["beyond"] == [] and said["poor"] == []
    assert not any("phone" in name for name in said["pictures"])


def test_what_is_hidden_stays_hidden_where_display_none_is_not_known(look, folder, tmp_path):
    """Gmail's web pages for phones: the phone's pictures and the inbox's line have no height."""
    page = folder / "pack-known.html"
    page.write_text(re.sub(r"<style>.*?</style>", "", (folder / "pack.html").read_text(encoding="utf-8"), flags=re.S).replace("display:none;", ""), encoding="utf-8")
    look.open(page, width=400)
    heights = look.evaluate("[...document.querySelectorAll('div[style*=\"max-height:0\"]')].map((e) => e.getBoundingClientRect().height)")
    assert heights == [0, 0, 0]


def test_the_measure_sees_what_is_too_wide_and_what_is_too_pale(look, folder):
    page = folder / "bad.html"
    page.write_text((folder / "reminder.html").read_text(encoding="utf-8").replace("<h1", '<div style="width:900px">wide</div><p style="color:#bbbbbb">pale</p><h1', 1), encoding="utf-8")
    said = seen(look, page, 640)
    assert said["scroll"] > 640 and any("DIV" in one for one in said["beyond"]) and any("pale" in one for one in said["poor"])


@pytest.mark.parametrize("kind", cases.MAILS)
def test_a_picture_of_the_mail_can_be_taken_at_any_width(kind, look, folder, tmp_path):
    for width in WIDTHS:
        look.open(folder / f"{kind}.html", width=width)
        assert look.picture(tmp_path / f"{kind}-{width}.png").read_bytes()[:4] == b"\x89PNG"
