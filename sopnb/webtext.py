"""Text and HTML that others wrote, made fit for a page: Markdown without raw HTML, and HTML that cannot run or fetch."""

from __future__ import annotations

import functools
import html
import re
from html.parser import HTMLParser
from typing import Any

_NEVER = {"script", "iframe", "frame", "frameset", "object", "embed", "applet", "link", "meta", "base", "form", "input", "button",
          "textarea", "select", "audio", "video", "source", "track", "portal", "template", "noscript", "foreignobject", "style",
          "animate", "animatetransform", "animatemotion", "set", "html", "head", "body"}
_WITH_TEXT = {"script", "style", "iframe", "object", "template", "noscript", "textarea", "select", "head", "applet", "foreignobject"}
_LINKS = {"href", "src", "xlink:href", "srcset", "action", "formaction", "poster", "background", "cite", "data", "ping", "longdesc"}
_VOID = {"area", "br", "col", "hr", "img", "wbr"}


class _Cleaner(HTMLParser):
    """Lets structure and text through; drops what could run, fetch, or restyle the page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.inside: list[str] = []  # elements dropped with their text
        self.open: list[str] = []  # elements let through and not closed yet

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]], closed: bool = False) -> None:
        if tag in _NEVER:
            if tag in _WITH_TEXT and not closed:
                self.inside.append(tag)
            return
        if self.inside:
            return
        kept = "".join(f' {name}="{html.escape(value or "")}"' for name, value in attrs if _harmless(name, value or ""))
        self.parts.append(f"<{tag}{kept}{'/' if closed and tag not in _VOID else ''}>")
        if not closed and tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs, closed=True)

    def handle_endtag(self, tag: str) -> None:
        if self.inside and tag == self.inside[-1]:
            self.inside.pop()
        elif not self.inside and tag in self.open:
            self._close_to(tag)

    def _close_to(self, tag: str) -> None:
        """Close what is open down to this element, so that a tag left open cannot swallow the page."""
        while self.open:
            last = self.open.pop()
            self.parts.append(f"</{last}>")
            if last == tag:
                return

    def close(self) -> None:
        super().close()
        self._close_to("")

    def handle_data(self, data: str) -> None:
        if not self.inside:
            self.parts.append(html.escape(data))


def _harmless(name: str, value: str) -> bool:
    """An attribute that neither runs nor fetches. Names are an allow-list of shape, values are looked at."""
    if not re.fullmatch(r"[a-z][a-z0-9:_-]*", name) or name.startswith("on"):
        return False
    plain = re.sub(r"[\x00-\x20]+", "", html.unescape(value)).lower()
    if name in _LINKS:
        return plain.startswith("#") or (name == "src" and re.match(r"data:image/(png|jpeg|gif|svg\+xml);base64,", plain) is not None)
    if name == "style":
        return not re.search(r"url\(|expression|@import|position:|\\", plain)
    return "javascript:" not in plain and "url(http" not in plain and "url(//" not in plain


def sanitised(source: str) -> str:
    """Foreign HTML without scripts, handlers, styles, forms, or any address outside the page.

    >>> sanitised('<b onclick="x()">A</b><script>x()</script> <a href="javascript:x()">B</a>')
    '<b>A</b> <a>B</a>'
    """
    cleaner = _Cleaner()
    cleaner.feed(source)
    cleaner.close()
    return "".join(cleaner.parts)


_SPACE = re.compile(r"&#(\d{1,2}|133);")  # white space as `words` writes it; html.unescape drops some of it, and reads 133 as "…"


@functools.cache
def _renderer() -> Any:
    import mistune

    class Plain(mistune.HTMLRenderer):
        """Links stay inside the set of pages; pictures become their words; raw HTML is shown as text."""

        def text(self, text: str) -> str:
            """References such as &#32; are read, as Markdown has it; a mark with a backslash comes here by itself and stays."""
            return html.escape(html.unescape(_SPACE.sub(lambda found: chr(int(found[1])), text)))

        def link(self, text: str, url: str, title: str | None = None) -> str:
            inside = re.fullmatch(r"#[\w-]*|[\w-]+\.html(#[\w-]*)?", url)
            return f'<a href="{html.escape(url)}">{text}</a>' if inside else text

        def image(self, text: str, url: str, title: str | None = None) -> str:
            return text

        def heading(self, text: str, level: int, **attrs: Any) -> str:
            return f"<h{max(level, 3)}>{text}</h{max(level, 3)}>\n"

    return mistune.create_markdown(renderer=Plain(escape=True), plugins=["table", "strikethrough"])


def markdown(source: str) -> str:
    """Markdown as HTML; raw HTML in it is shown as text.

    >>> markdown("a **b** <i>c</i>")
    '<p>a <strong>b</strong> &lt;i&gt;c&lt;/i&gt;</p>\\n'
    """
    return str(_renderer()(source))


def slug(text: str, taken: set[str]) -> str:
    """An id for a heading, not yet taken: letters and digits, joined by hyphens.

    >>> slug("How much, and when?", set())
    'how-much-and-when'
    """
    base = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "part"
    base = base if base[0].isalpha() else f"s-{base}"
    name, n = base, 2
    while name in taken:
        name, n = f"{base}-{n}", n + 1
    taken.add(name)
    return name
