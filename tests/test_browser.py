"""What a phone shows: the pages in a real browser, no wider than the screen, and nothing in them runs."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import front_data
import pytest

from sopnb import report, words

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

# A frame of the wanted width: a browser's window does not get as narrow as a phone.
FRAME = """<!doctype html><iframe id="f" style="width:{width}px;height:900px;border:0" srcdoc="{page}"></iframe>
<script>addEventListener('load', () => setTimeout(() => {{
  const d = document.getElementById('f').contentDocument, e = d.documentElement;
  const wide = [...d.querySelectorAll('body *')].filter(x => x.getBoundingClientRect().right > {width} + 1 && !x.closest('svg,.skip')).map(x => x.tagName + '.' + x.className);
  document.body.innerHTML = '<p id=said>' + JSON.stringify({{scroll: e.scrollWidth, wide: wide.slice(0, 5), title: d.title}}) + '</p>';
}}, 300));</script>"""


def measured(page: str, width: int, folder: Path) -> dict:
    """What the browser says of a page in a frame of a width."""
    wrapper = folder / "frame.html"
    wrapper.write_text(FRAME.format(width=width, page=html.escape(page, quote=True)), encoding="utf-8")
    done = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
         f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=3000", "--dump-dom", wrapper.as_uri()],
        capture_output=True, text=True, timeout=90)
    said = re.search(r'<p id="said">(.*?)</p>', done.stdout, re.S)
    assert said, done.stderr[-800:]
    return json.loads(html.unescape(said[1]))


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("front") / "index.html"
    with words.speaking("en", "IDR"):
        report.front_page(front_data.tables(), front_data.past(), header=front_data.HEADER, links=front_data.LINKS, out=out)
    return out.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [320, 400, 1280])
def test_the_front_page_is_no_wider_than_the_screen(front, width, tmp_path):
    said = measured(front, width, tmp_path)
    assert said["scroll"] <= width and said["wide"] == []


def test_the_measure_sees_what_is_too_wide(front, tmp_path):
    """A test that cannot fail is worth nothing."""
    too_wide = front.replace("<main", '<div style="width:900px">x</div><main', 1)
    assert measured(too_wide, 400, tmp_path)["wide"]


def test_a_script_that_got_into_a_page_would_not_run(front, tmp_path):
    """The page's own content security policy stops it, even if all escaping failed."""
    hostile = front.replace("<main", "<script>document.title = 'ran'</script><img src=x onerror=\"document.title='ran'\"><main", 1)
    assert measured(hostile, 400, tmp_path)["title"] != "ran"
    open_door = re.sub(r'<meta http-equiv="?Content-Security-Policy"?[^>]*>', "", hostile)
    assert open_door != hostile and measured(open_door, 400, tmp_path)["title"] == "ran", "the measure must see a script that runs"
