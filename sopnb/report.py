"""An executed notebook becomes one self-contained page; a cycle's pages become one file.

A page fetches nothing and runs nothing: no script, no external address, and a Content-Security-Policy that proves it.
The shell is ours (`template/`), through an nbconvert exporter. The cycle's front page is made in `front`.

    header   company, cycle (YYYY-MM), origin (month), verdict (green, amber or red), findings (count), version, run,
             draft (flag), language, currency, as_of, meeting (dates or None); all plain values
    links    the pages of the cycle in order, each {title, href, current}; href "" where a page is not made
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from sopnb import style, translations, words
from sopnb.webtext import markdown, sanitised, slug

TEMPLATES = Path(__file__).parent / "template"
ONE_PAGE = "one-page.html"
_ANCHORS = {ONE_PAGE: "one-", "index.html": ""}  # what the ids of a page begin with in the pack
PACK_LIMIT = 3_000_000  # bytes of the one-file pack: larger attachments are refused by many mail servers
_HIDDEN = {"parameters", "injected-parameters"}
DESK = "desk"  # cells for whoever sits at the notebook: forms to type into, on no page
_SHOWN = ("text/html", "image/svg+xml", "image/png", "image/jpeg", "text/markdown", "text/plain")
_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


class TooLarge(ValueError):
    """A pack that cannot be mailed; the message names its size and the limit."""


# --- what every page shares -----------------------------------------------------------------------------------------

def t(message: str, **values: Any) -> Markup:
    """A sentence of the catalogue as escaped HTML, for templates."""
    return Markup(words.message(message, values).html)


@functools.cache
def css(*names: str) -> Markup:
    """The style sheets and what figures need, without comments and line breaks."""
    text = "".join((TEMPLATES / f"{name}.css").read_text(encoding="utf-8") for name in names) + style.FIGURE_CSS
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return Markup(re.sub(r"\s*\n\s*", "", text))


SHAPES = {
    "ok": '<circle cx="6" cy="6" r="6"/><path class="k" d="M3.2 6.2l2 2 3.6-4.2"/>',
    "watch": '<path d="M6 0l6 11.5H0z"/><path class="k" d="M6 4.2v3M6 8.6v1"/>',
    "off": '<path d="M6 0l6 6-6 6-6-6z"/><path class="k" d="M4 4l4 4M8 4l-4 4"/>',
    "short": '<path d="M0 1h12L6 11.500z"/>',
    "excess": '<path d="M6 1l6 10H0z"/>',
}


def status(shape: str, word: str, tone: str = "") -> Markup:
    """Shape, word and colour together, so that none of them carries the meaning alone.

    shape   ok, watch, off, short or excess
    tone    ok, watch or off; as the shape where left out
    """
    return Markup('<span class="st {}"><svg viewBox="0 0 12 12" width="13" height="13" aria-hidden="true" focusable="false">{}</svg>{}</span>').format(
        tone or shape, Markup(SHAPES[shape]), word)


VERDICTS = {"green": "ok", "amber": "watch", "red": "off"}


def heading(header: dict[str, Any]) -> dict[str, Any]:
    """The header with what the shell shows: `about`, `scope`, `status`, `made` and `paper`, in the page's language."""
    words.speak(header.get("language") or "en", header.get("currency") or "USD")
    verdict = header.get("verdict")
    n = int(header.get("findings") or 0)
    said = words.message(f"front.verdict.{verdict}" + (".one" if verdict == "amber" and n == 1 else ""), {"n": n}).text if verdict else ""
    shown = status(VERDICTS[verdict], said) if verdict else ""
    origin = pd.Timestamp(str(header["cycle"])) - pd.offsets.MonthBegin(1)
    scope = words.message("front.scope", {"origin": pd.Timestamp(header.get("origin") or origin)}).text
    if header.get("meeting"):
        scope += " " + words.message("front.meeting", {"day": pd.Timestamp(header["meeting"])}).text
    about = words.message("front.about", {"month": pd.Timestamp(str(header["cycle"]))}).text
    return {"draft": False, "run": "", "version": "", "workbook": "", **header, "language": words.language(), "currency": header.get("currency") or "USD",
            "about": about, "scope": scope, "status": shown, "said": said, "paper": _on_paper(f"{header['company']} · {about}"),
            "made": words.message("front.made", {"run": header.get("run") or "–", "version": header.get("version") or "–"}).text}


def _on_paper(said: str) -> Markup:
    """A style that has these words at the foot of each printed sheet; whatever is no letter or digit is written by its number."""
    text = "".join(letter if letter.isalnum() else f"\\{ord(letter):x} " for letter in " ".join(said.split()))
    return Markup('@page{@bottom-left{content:"' + text + '"}}')


def write(page: str, out: Path) -> Path:
    """The page on disk, whole or not at all."""
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_name(out.name + ".partial")
    try:
        temporary.write_text(page, encoding="utf-8", newline="\n")
        os.replace(temporary, out)
    finally:
        temporary.unlink(missing_ok=True)
    return out


# --- a step's page --------------------------------------------------------------------------------------------------

def page(notebook_path: Path | str, *, header: dict[str, Any], links: list[dict[str, Any]], out: Path) -> Path:
    """An executed notebook as one self-contained HTML file.

    Code is folded under its section as "How this was computed"; outputs are shown in order; headings of level 2 make
    the contents. HTML in an output is stripped of all
    that could run or fetch, whoever made it.

    returns  `out`
    """
    from sopnb import lean

    notebook = lean.nbformat().read(str(notebook_path), as_version=4)
    shown = heading(header)
    view = outline(notebook)
    at = next((i for i, link in enumerate(links) if link.get("current")), None)
    if at is not None:
        view["before"] = next((x for x in reversed(links[:at]) if x.get("href")), None)
        view["after"] = next((x for x in links[at + 1:] if x.get("href")), None)
    exporter = _exporter()
    exporter.environment.globals.update(header=shown, links=links, page=view, t=t, css=css("page"),
                                        title=f"{view['kicker'] or view['title']}: {header['company']}, {header['cycle']}")
    body, _ = exporter.from_notebook_node(notebook)
    return write(body, out)


def _exporter() -> Any:
    """nbconvert with our template and nothing of its own: no preprocessors, autoescape on."""
    from nbconvert.exporters import TemplateExporter

    from sopnb import templates

    class StepExporter(TemplateExporter):
        template_extension = ".html.j2"
        output_mimetype = "text/html"

        def _create_environment(self) -> Any:
            environment = super()._create_environment()
            environment.autoescape = True  # nbconvert leaves it off
            environment.bytecode_cache = templates.kept("step")
            return environment

    return StepExporter(template_name="step", extra_template_basedirs=[str(TEMPLATES)], extra_template_paths=[str(TEMPLATES)],
                        default_preprocessors=[])


def outline(notebook: Any) -> dict[str, Any]:
    """The notebook as title, lead and sections of blocks.

    returns  kicker ("02 Demand"), title (the question), lead, contents [{id, title}],
             sections [{id, title, blocks [{kind, html}], code [str]}]
    """
    view: dict[str, Any] = {"kicker": "", "title": "", "lead": "", "sections": [_section()], "before": None, "after": None}
    taken: set[str] = set()
    for cell in notebook.cells:
        if DESK in cell.metadata.get("tags", []):
            continue
        if cell.cell_type == "markdown":
            for level, head, body in _by_heading(translations.text(cell.source)):
                if level == 1 and not view["title"]:
                    view.update(_opening(head, body))
                    continue
                if level:
                    view["sections"].append(_section(slug(head, taken), head))
                if body.strip():
                    view["sections"][-1]["blocks"].append({"kind": "md", "html": Markup(markdown(body))})
        elif cell.cell_type == "code":
            section = view["sections"][-1]
            if cell.source.strip():
                section["code"].append(cell.source.rstrip())
            if not _HIDDEN & set(cell.metadata.get("tags", [])):
                section["blocks"].extend(filter(None, (_shown(output) for output in cell.outputs)))
    view["sections"] = [s for s in view["sections"] if s["blocks"] or s["code"] or s["title"]]
    view["contents"] = [s for s in view["sections"] if s["id"]]
    return view


def _section(id: str = "", title: str = "") -> dict[str, Any]:
    return {"id": id, "title": title, "blocks": [], "code": []}


def _by_heading(source: str) -> list[tuple[int, str, str]]:
    """A text cell split at its headings of level 1 and 2: level (0 before the first), heading, what follows."""
    parts: list[tuple[int, str, list[str]]] = [(0, "", [])]
    fenced = False
    for line in source.splitlines():
        fenced ^= line.lstrip().startswith("```")
        found = None if fenced else re.match(r"(#{1,2})\s+(.*?)\s*#*$", line)
        if found:
            parts.append((len(found[1]), found[2], []))
        else:
            parts[-1][2].append(line)
    return [(level, head, "\n".join(body)) for level, head, body in parts if level or any(line.strip() for line in body)]


def _opening(head: str, body: str) -> dict[str, Any]:
    """The first cell: the step's name above, its question as the title, the rest as the lead.

    >>> _opening("02 Demand", "What will customers ask for? For planners.")["title"]
    'What will customers ask for?'
    """
    plain = re.sub(r"[*_`]", "", " ".join(body.split()))
    question = re.match(r"(.*?\?)\s*(.*)", plain)
    if question:
        return {"kicker": head, "title": question[1], "lead": question[2]}
    return {"kicker": "", "title": head, "lead": plain}


def _shown(output: Any) -> dict[str, Any] | None:
    """One output as a block, or None where there is nothing for a reader (warnings on stderr stay in the notebook)."""
    if output.output_type == "error":
        trace = _ANSI.sub("", "\n".join(output.get("traceback", []) or [f"{output.ename}: {output.evalue}"]))
        return {"kind": "out err", "html": Markup("<pre>{}</pre>").format(trace)}
    if output.output_type == "stream":
        text = _ANSI.sub("", output.text)
        return {"kind": "out", "html": Markup("<pre>{}</pre>").format(text)} if output.name == "stdout" and text.strip() else None
    data = output.get("data", {})
    kind = next((k for k in _SHOWN if k in data), None)
    if kind is None:
        return None
    value = "".join(data[kind]) if isinstance(data[kind], list) else data[kind]
    if not value.strip():
        return None
    if kind == "text/html":
        return {"kind": "out wide" if 'class="dataframe"' in value else "out", "html": Markup(sanitised(value))}
    if kind == "text/markdown":
        return {"kind": "md", "html": Markup(markdown(value))}
    if kind == "text/plain":
        return {"kind": "out", "html": Markup("<pre>{}</pre>").format(_ANSI.sub("", value))}
    return {"kind": "out", "html": _image(kind, value, data, output.get("metadata", {}))}


def _image(kind: str, value: str, data: dict[str, Any], metadata: dict[str, Any]) -> Markup:
    """A picture inside the page, with the alternative text it came with."""
    import base64

    encoded = base64.b64encode(value.encode()).decode() if kind == "image/svg+xml" else value.replace("\n", "")
    alt = metadata.get(kind, {}).get("alt") or metadata.get("alt") or "".join(data.get("text/plain", ""))
    return Markup('<img src="data:{};base64,{}" alt="{}">').format(kind, encoded, alt)


# --- the pack: one file ---------------------------------------------------------------------------------------------

def pack(folder: Path | str, out: Path, *, limit: int = PACK_LIMIT) -> Path:
    """One page, the report and the steps of a cycle as one file, for attaching: links become anchors, ids are made unique.

    folder   holds index.html, the steps' pages (01_collect.html …), and one-page.html where it was made
    returns  `out`
    raises   TooLarge where even the report alone is over the limit; where only the whole is, the folded code goes
             first, then the steps, and the pack says so
    """
    folder = Path(folder)
    first = [folder / name for name in (ONE_PAGE, "index.html") if name == "index.html" or (folder / name).is_file()]
    pages = {path.name: path.read_text(encoding="utf-8") for path in [*first, *sorted(folder.glob("0[1-9]_*.html"))]}
    for keep, code in ((list(pages), True), (list(pages), False), ([path.name for path in first], False)):
        whole = _joined({name: pages[name] for name in keep}, code=code, left_out=[n for n in pages if n not in keep])
        if len(whole.encode("utf-8")) <= limit:
            return write(whole, out)
    raise TooLarge(f"{folder / 'index.html'} alone is {len(whole.encode()):,} bytes in the pack; at most {limit:,} are allowed. "
                   "Set `mail: attach: none`, or plan fewer exceptions.")


def _joined(pages: dict[str, str], *, code: bool, left_out: list[str]) -> str:
    """The pages one after another in the report's shell; its own heading stands under S&OP on a page, which has another."""
    index = pages["index.html"]
    anchors = {name: _ANCHORS[name] if name in _ANCHORS else f"p{name[:2]}-" for name in pages}
    own = _tags(_element(index, "header"), functools.partial(_relinked, prefix="", anchors=anchors))
    parts = []
    for name, text in pages.items():
        body = _between(text, "main")
        if not code:
            body = re.sub(r"<details>.*?</details>", "", body, flags=re.S)
        prefix = anchors[name]
        body = _tags(body, functools.partial(_relinked, prefix=prefix, anchors=anchors))
        if name == "index.html" and ONE_PAGE in pages:
            body = f'<div class="whole" id="whole">{own}{body}</div>'
        parts.append(body if not prefix else f'<div id="{prefix}top">{body}</div>' if name == ONE_PAGE else f'<article class="part" id="{prefix}top">{body}</article>')
    main = "".join(parts)
    if left_out:
        main += str(Markup('<p class="na">{}</p>').format(t("front.left_out", pages=", ".join(n[3:-5] for n in left_out))))
    head, rest = index.split("<main", 1)
    opening, after = rest.split(">", 1)
    foot = _tags(after.rsplit("</main>", 1)[1], functools.partial(_relinked, prefix="", anchors=anchors))
    styles = str(css("page", "front", "onepage"))
    head = head.replace(_element(index, "header"), "" if ONE_PAGE in pages else own, 1)
    head = re.sub(r"</title><style>.*?</style>", lambda _: f"</title><style>{styles}</style>", head, count=1, flags=re.S)
    return f"{head}<main{opening}>{main}</main>{foot}"


def _element(text: str, tag: str) -> str:
    """The first element of a name, whole."""
    return f"<{tag}" + text.split(f"<{tag}", 1)[1].split(f"</{tag}>", 1)[0] + f"</{tag}>"


def _between(text: str, tag: str) -> str:
    return text.split(f"<{tag}", 1)[1].split(">", 1)[1].rsplit(f"</{tag}>", 1)[0]


_TAG = re.compile(r"<[a-zA-Z][^<>]*>")
_REFERENCE = re.compile(r'(\s(?:id|for|aria-labelledby|aria-describedby|aria-controls|headers)=)("[^"]*"|\'[^\']*\'|[^\s>"\']+)')
_LINK = re.compile(r'(\s(?:xlink:)?href=)("[^"]*"|\'[^\']*\'|[^\s>"\']+)')


def _tags(body: str, change: Callable[[str], str]) -> str:
    """The page with each tag changed, its text and its styles' own words left alone; ids inside <style> follow."""
    def style(found: re.Match[str]) -> str:
        return found[1] + re.sub(r"(?<![\w&])#(?=[a-zA-Z_][\w-]*[^;{}]*\{)", "#" + _prefix_of(change), found[2]) + found[3]

    changed = _TAG.sub(lambda found: change(found[0]), body)
    return re.sub(r"(<style[^>]*>)(.*?)(</style>)", style, changed, flags=re.S)


def _prefix_of(change: Any) -> str:
    return change.keywords["prefix"]


def _relinked(tag: str, *, prefix: str, anchors: dict[str, str]) -> str:
    """One tag with its ids prefixed and its links pointing into the pack."""
    def ids(found: re.Match[str]) -> str:
        return found[1] + '"' + " ".join(prefix + one for one in found[2].strip("\"'").split()) + '"'

    def link(found: re.Match[str]) -> str:
        target = found[2].strip("\"'")
        file, _, anchor = target.partition("#")
        if not file:
            return f'{found[1]}"#{prefix}{anchor}"'
        if file in anchors:
            inside = anchors[file]
            return f'{found[1]}"#{inside}{anchor or ("top" if inside else "whole" if ONE_PAGE in anchors else "main")}"'
        return f'{found[1]}"{target}"' if target.startswith("mailto:") else ""  # files beside the page are not in the pack

    tag = _LINK.sub(link, tag)
    if prefix:
        tag = _REFERENCE.sub(ids, tag)
        tag = re.sub(r"url\(#", f"url(#{prefix}", tag)
    return tag


def front_page(tables: dict[str, pd.DataFrame], past: dict[str, pd.DataFrame], *, header: dict[str, Any], out: Path,
               links: list[dict[str, Any]] | None = None, **settings: Any) -> Path:
    """The cycle's report, from saved tables only. See `front.facts` for the settings."""
    from sopnb import front

    return write(front.render(front.facts(tables, past, header=header, links=links or [], **settings)), out)


def one_page(facts: dict[str, Any], out: Path) -> Path:
    """S&OP on a page, one sheet, from the facts of `front.facts`."""
    from sopnb import onepage

    return write(onepage.render(facts), out)
