"""Pages judged by other people's tools and by a real browser: axe-core, html-validate, and what a reader would trip over.

    judges.axe(look, page, width=320, dark=True)      ->  violations of WCAG 2.2 AA
    judges.markup(pages, folder)                      ->  faults of the HTML
    judges.layout(look, page, width=320)              ->  what scrolls sideways, overlaps, is too small or too pale
    judges.structure(look, page, width=1280)          ->  headings out of order, tables without caption or scope
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import node_packages

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def npm(package: str) -> Path:
    """Where a package of package.json is installed."""
    return node_packages.installed() / "node_modules" / package


def axe(look: Any, page: Path, *, width: int, dark: bool = False, folded: bool = False) -> list[str]:
    """Violations of WCAG 2.2 AA, each with the element it was found at first; what is folded is opened first, unless `folded`."""
    look.open(page, width=width, dark=dark, scripts=True)
    look.evaluate(f"{(npm('axe-core') / 'axe.min.js').read_text(encoding='utf-8')};0")
    if not folded:
        look.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    said = look.evaluate(f"axe.run(document, {{runOnly: {json.dumps(WCAG)}}}).then(r => ({{bad: r.violations.map(v => v.id + ' (' + v.nodes.length + '): ' + v.nodes[0].html.slice(0, 200)), passed: r.passes.length}}))")
    assert said["passed"] > 5, "axe-core looked at nothing"
    return said["bad"]


def markup(pages: list[Path], folder: Path) -> list[str]:
    """Faults that html-validate finds, by page and rule."""
    (folder / ".htmlvalidate.json").write_text('{"root": true, "extends": ["html-validate:standard"]}', encoding="utf-8")
    out = folder / "said.json"
    with out.open("w", encoding="utf-8") as said:  # a file: it ends before a pipe is empty
        subprocess.run(["node", str(npm("html-validate") / "bin" / "html-validate.mjs"), "-c", str(folder / ".htmlvalidate.json"), "-f", "json", *map(str, pages)], stdout=said, cwd=folder, timeout=300)
    return [f"{Path(file['filePath']).name}: {message['ruleId']}: {message['message']} ({message['line']}:{message['column']})" for file in json.loads(out.read_text(encoding="utf-8")) for message in file["messages"]]


_LAYOUT = """(() => {
  const wide = document.documentElement.clientWidth, beyond = [], small = [], over = [], pale = [];
  const number = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = (c) => { const f = (v) => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }; return .2126 * f(c[0]) + .7152 * f(c[1]) + .0722 * f(c[2]); };
  const ground = (e) => { for (; e; e = e.parentElement) { const c = number(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
  for (const e of document.body.querySelectorAll('*')) {
    const box = e.getBoundingClientRect();
    if (!e.checkVisibility({opacityProperty: true}) || !box.width || e.closest('.skip,.unseen,details.more caption .f')) continue;
    const inside = e.ownerSVGElement;
    if (inside && e.tagName !== 'text') continue;
    if (box.right > wide + 1 || box.left < -1) beyond.push(e.tagName + ' ' + e.textContent.slice(0, 40));
    if (!inside && getComputedStyle(e).overflowX !== 'visible' && e.scrollWidth > e.clientWidth + 1) beyond.push('scrolls ' + e.tagName + ' ' + e.textContent.slice(0, 40));
    for (const node of e.childNodes) {
      if (node.nodeType !== 3 || !node.textContent.trim()) continue;
      const style = getComputedStyle(e), said = node.textContent.trim().slice(0, 40);
      if (parseFloat(style.fontSize) < 12) small.push(style.fontSize + ' ' + said);
      const a = light(number(inside ? style.fill : style.color)), b = light(ground(inside ? e.closest('figure,td,th,div,p,section,body') : e));
      const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05), needed = !/[\\p{L}\\p{N}]/u.test(said) ? 3 : parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700 || parseFloat(style.fontSize) >= 24 ? 3 : 4.5;
      if (ratio < needed) pale.push(ratio.toFixed(2) + ' ' + said);
    }
  }
  for (const drawing of document.querySelectorAll('svg')) {
    if (drawing.ownerSVGElement || !drawing.checkVisibility()) continue;
    const texts = [...drawing.querySelectorAll('text')].filter(t => t.textContent.trim()).map(t => [t.getBoundingClientRect(), t.textContent.trim()]);
    texts.forEach(([a, x], i) => texts.slice(i + 1).forEach(([b, y]) => {
      const w = Math.min(a.right, b.right) - Math.max(a.left, b.left), h = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (w > 1.5 && h > 4.5) over.push(x + ' | ' + y);  // boxes hold room above and below the letters
    }));
  }
  return {width: document.documentElement.scrollWidth, beyond, small, over, pale};
})()"""


def layout(look: Any, page: Path, *, width: int, dark: bool = False) -> dict[str, Any]:
    """What a reader trips over at a width; every list is empty, and the page no wider than the window, where all is well.

    returns  width (px), beyond (elements outside the window, or that scroll), small (words under 12 px), over (words of a
             drawing that lie over others), pale (words with less than 4.5:1, large ones 3:1)
    """
    look.open(page, width=width, dark=dark, scripts=True)
    look.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    return look.evaluate(_LAYOUT)


_STRUCTURE = """(() => {
  const wrong = [];
  const heads = [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')];
  if (heads.filter(h => h.tagName === 'H1').length !== 1) wrong.push('h1: ' + heads.filter(h => h.tagName === 'H1').length);
  let level = 0;
  for (const h of heads) { const now = +h.tagName[1]; if (now > level + 1) wrong.push('after h' + level + ' comes h' + now + ': ' + h.textContent.slice(0, 40)); level = now; if (!h.textContent.trim()) wrong.push('an empty ' + h.tagName); }
  for (const table of document.querySelectorAll('table')) {
    if (table.getAttribute('role') === 'presentation') continue;
    const name = table.textContent.trim().slice(0, 40);
    if (!table.caption || !table.caption.textContent.trim()) wrong.push('no caption: ' + name);
    for (const th of table.querySelectorAll('th')) if (!th.getAttribute('scope')) wrong.push('no scope: ' + th.textContent.slice(0, 30) + ' in ' + name);
    if (!table.tHead) wrong.push('no head: ' + name);
  }
  for (const svg of document.querySelectorAll('svg')) if (!svg.ownerSVGElement && svg.getAttribute('aria-hidden') !== 'true' && !(svg.getAttribute('aria-label') || '').trim()) wrong.push('a picture without words');
  for (const figure of document.querySelectorAll('figure')) if (!figure.querySelector('figcaption')) wrong.push('a figure without caption');
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
  for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) !== i))) wrong.push('id twice: ' + id);
  for (const a of document.querySelectorAll('a[href^="#"]')) if (!document.getElementById(a.getAttribute('href').slice(1))) wrong.push('leads nowhere: ' + a.getAttribute('href'));
  return wrong;
})()"""


def structure(look: Any, page: Path, *, width: int = 1280) -> list[str]:
    """What a page's outline lacks: one h1, no level left out, tables with caption and scoped heads, pictures with words."""
    look.open(page, width=width, scripts=True)
    return look.evaluate(_STRUCTURE)
