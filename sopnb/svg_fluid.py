"""From a drawing in pixels to a picture that stretches: lines and areas grow with the page, words and dots do not.

Takes the SVG that matplotlib writes and keeps what draws: paths, markers, texts. Out go prolog, doctype, style sheet,
clip paths, ids and references, so that nothing leaks over the page and nothing collides on it.
"""

from __future__ import annotations

import html
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

from sopnb.style import BAND, ROLES, css_value, shade_of

_SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"
_BY_COLOUR = {light.lower(): role for role, (_, light, _) in ROLES.items()}
_PLAIN = {"stroke-linejoin", "stroke-linecap", "stroke-miterlimit"}


def fluid(drawn: str, *, alt: str) -> str:
    """The drawing with a fixed height and the width of whatever holds it.

    drawn    SVG as matplotlib writes it, 72 dots to the inch, text as text
    alt      what a reader who cannot see it hears
    """
    root = ET.fromstring(re.sub(r"<!DOCTYPE[^>]*>", "", drawn))
    _, _, width, height = (float(v) for v in root.attrib["viewBox"].split())
    shapes: list[str] = []
    marks: list[str] = []
    used: set[str] = set()
    defined = {e.attrib["id"]: e for e in root.iter(f"{_SVG}path") if "id" in e.attrib}
    inside_defs = {id(e) for defs in root.iter(f"{_SVG}defs") for e in defs.iter()}
    for element in _visible(root):
        if id(element) in inside_defs:
            continue
        if element.tag == f"{_SVG}path":
            if element.attrib.get("d"):  # a line without a point is drawn as a path without a way
                shapes.append(_path(element, used))
        elif element.tag == f"{_SVG}use":
            marks.append(_mark(element, defined[element.attrib[_HREF].lstrip("#")], width, used))
        elif element.tag == f"{_SVG}text":
            marks.append(_text(element, width, used))
    named = "".join(f"--c-{role}:{css_value(role)};" for role in ROLES if role in used)
    return (
        f'<svg role="img" aria-label="{html.escape(alt)}" width="100%" height="{_n(height)}" '
        f'style="{named}display:block;overflow:visible">'
        f'<svg viewBox="0 0 {_n(width)} {_n(height)}" width="100%" height="{_n(height)}" preserveAspectRatio="none" overflow="visible" '
        f'stroke-linejoin="round">{"".join(shapes)}</svg>{"".join(marks)}</svg>'
    )


def _visible(root: ET.Element) -> Iterator[ET.Element]:
    """All elements but the empty backgrounds."""
    for element in root.iter():
        style = _style(element)
        if element.tag == f"{_SVG}path" and style.get("fill") == "none" and style.get("stroke", "none") == "none":
            continue
        yield element


def _style(element: ET.Element) -> dict[str, str]:
    pairs = (part.split(":", 1) for part in element.attrib.get("style", "").split(";") if ":" in part)
    return {key.strip(): value.strip() for key, value in pairs}


def _colours(style: dict[str, str], used: set[str]) -> str:
    """A style with roles for colours; the page decides how dense a band is."""
    parts = []
    if "opacity" in style:  # matplotlib writes one opacity for fill and stroke
        style = {**style, "fill-opacity": style["opacity"]}
        style.pop("opacity")
    for key, value in style.items():
        if key in _PLAIN or value == "":
            continue
        role, dense = _BY_COLOUR.get(value.lower()), shade_of(value.lower())
        if dense:
            used.add(dense[0])
            value = f"var(--c-{dense[0]});fill-opacity:{dense[1]}"
        elif role:
            used.add(role)
            value = f"var(--c-{role})"
        elif key == "fill-opacity" and abs(float(value) - BAND) < 1e-9:
            value = f"var(--band,{BAND})"
        elif key in ("stroke-width", "stroke-dashoffset") or key == "stroke-dasharray":
            value = " ".join(_n(float(v)) for v in re.split(r"[ ,]+", value))
            if key == "stroke-dashoffset" and value == "0":
                continue
        parts.append(f"{key}:{value}")
    return ";".join(parts)


def _path(element: ET.Element, used: set[str]) -> str:
    style = _style(element)
    if "stroke" in style and style["stroke"] != "none" and "fill" not in style:
        style["fill"] = "none"
    still = ' vector-effect="non-scaling-stroke"' if style.get("stroke", "none") != "none" else ""
    return f'<path d="{_route(element.attrib["d"])}" style="{_colours(style, used)}"{still}/>'


def _mark(element: ET.Element, shape: ET.Element, width: float, used: set[str]) -> str:
    """A marker keeps its shape: it stands at a share of the width, outside of what stretches."""
    x, y = float(element.attrib["x"]) / width * 100, float(element.attrib["y"])
    style = _colours({k: v for k, v in _style(element).items() if k == "fill" or not k.startswith("stroke")}, used)
    route = shape.attrib["d"]
    if "C" in route:  # a round marker
        radius = max(abs(float(v)) for v in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", route))
        return f'<circle cx="{_n(x)}%" cy="{_n(y)}" r="{_n(radius)}" style="{style}"/>'
    return f'<svg x="{_n(x)}%" y="{_n(y)}" overflow="visible"><path d="{_route(route)}" style="{style}"/></svg>'


def _text(element: ET.Element, width: float, used: set[str]) -> str:
    """Text with the colour of its role; its font is the page's."""
    style = _style(element)
    size = re.search(r"(\d+(?:\.\d+)?)px", element.attrib.get("style", ""))
    bold = re.search(r"\b(bold|700)\b", element.attrib.get("style", ""))
    kept = {"fill": style.get("fill", "#000000")}
    look = f"{_colours(kept, used)};font-size:{_n(float(size[1])) if size else 12}px" + (";font-weight:700" if bold else "")
    anchor = style.get("text-anchor", "start")
    where = f' text-anchor="{anchor}"' if anchor != "start" else ""
    x, y = _place(element)
    return f'<text x="{_n(x / width * 100)}%" y="{_n(y)}"{where} style="{look}">{html.escape("".join(element.itertext()))}</text>'


def _place(element: ET.Element) -> tuple[float, float]:
    if "x" in element.attrib:
        return float(element.attrib["x"]), float(element.attrib["y"])
    moved = re.search(r"translate\(([-\d.]+)[ ,]+([-\d.]+)\)", element.attrib.get("transform", ""))
    return (float(moved[1]), float(moved[2])) if moved else (0.0, 0.0)


def _route(d: str) -> str:
    """A path with two decimals a coordinate: a hundredth of a pixel."""
    shorter = re.sub(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?", lambda found: _n(float(found[0])), d)
    return re.sub(r"\s*([A-Za-z])\s*", r"\1", re.sub(r"\s+", " ", shorter)).strip()


def _n(value: float) -> str:
    shown = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if shown in ("-0", "") else shown
