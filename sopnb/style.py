"""The house style: colours by role, and the style sheet every figure and table relies on.

A role keeps its colour on every page and never speaks by colour alone. Charts are drawn in the light colours; in the
page each becomes a CSS variable, so that dark mode needs no second drawing.
"""

from __future__ import annotations

# role: (CSS variable, light, dark). Text twins (-t) are for words on the page where the role's colour is too light.
ROLES: dict[str, tuple[str, str, str]] = {
    "ink": ("--ink", "#1f2933", "#e8edf2"),
    "demand": ("--demand", "#1f2934", "#e8edf2"),  # one step beside ink, so that drawings tell the two apart
    "plan": ("--plan", "#0b6e99", "#5cb8e0"),
    "base": ("--base", "#7f97ad", "#8fa5b8"),
    "base-t": ("--base-t", "#4d6579", "#a9bccd"),
    "over": ("--over", "#b7791f", "#e0a94a"),
    "over-t": ("--over-t", "#865408", "#e9b968"),
    "short": ("--short", "#9b1c1c", "#f08a84"),
    "ok": ("--ok", "#1f7a4d", "#66c795"),
    "mute": ("--mute", "#52606d", "#a9b6c2"),
    "line": ("--line", "#d5dce2", "#36424d"),
    "grid": ("--grid", "#e4e9ed", "#27313a"),
    "bg": ("--bg", "#ffffff", "#12171c"),
}
LIGHT = {role: light for role, (_, light, _) in ROLES.items()}
BAND = 0.16  # opacity of a band in light mode; the page's --band in dark

# Words over colours of a role use the text twin where there is one.
TWIN = {"base": "base-t", "over": "over-t"}


def text_role(role: str) -> str:
    """The role to write words in."""
    return TWIN.get(role, role)


# In JupyterLab no page style sheet is there: its own variables stand in for ink and grid, so that its dark theme works.
_LAB = {"ink": "--jp-content-font-color1", "demand": "--jp-content-font-color1", "mute": "--jp-content-font-color2",
        "line": "--jp-border-color1", "grid": "--jp-border-color2", "bg": "--jp-layout-color0"}


def css_value(role: str) -> str:
    """The role's colour as a CSS value with fallbacks.

    >>> css_value("plan")
    'var(--plan,#0b6e99)'
    """
    variable, light, _ = ROLES[role]
    light = "#1f2933" if role == "demand" else light
    return f"var({variable},var({_LAB[role]},{light}))" if role in _LAB else f"var({variable},{light})"


# What a page must carry for figures and tables to be what they are meant to be. The widths are those of the figure's
# own box, not of the window: a figure in a narrow column shows its narrow drawing. Rules are !important where
# JupyterLab, which has no style sheet of ours, needs the opposite as an inline style.
FIGURE_CSS = """\
.fig{container-type:inline-size;margin:0}.fig svg{display:block;overflow:visible}
.fig .fig-w{display:none!important}.fig .fig-n{display:block!important}
@container (min-width:620px){.fig .fig-w{display:block!important}.fig .fig-n{display:none!important}}
@media(max-width:640px){.tb .w{display:none!important}.tb .s.n{display:block!important}}
@media screen and (max-width:960px){.tb.broad .w{display:none!important}.tb.broad .s.n{display:block!important}}
"""


# What JupyterLab lacks: the colours of a dark ground, and who is finding, measure and source. A cycle brings it once into a
# notebook, where it shows itself; pages have their own style sheet and leave it out.
LAB_CSS = "[data-jp-theme-light=false]{" + "".join(f"{variable}:{dark};" for role, (variable, _, dark) in ROLES.items() if role not in _LAB) + "--band:.24}" + FIGURE_CSS + """\
.jp-RenderedHTMLCommon .f{font-weight:700;font-size:1.1em}
.jp-RenderedHTMLCommon :is(.sub,.src,.sm,.s){color:var(--jp-content-font-color2);font-size:.9em;font-weight:400}
.jp-RenderedHTMLCommon details.more>summary{cursor:pointer}.jp-RenderedHTMLCommon details.more caption .f{display:none!important}
"""


# Widths of letters in thousandths of the font size, of Arial and its kin; a little more than most system fonts need.
_THIN, _SLIM, _BROAD = set("ijl.,:;'|!I·"), set("frt()[]/- \"*`"), set("mwMW@%—…")
_CLOSE = set("cksvxyz")


def text_width(text: str, size: float, bold: bool = False) -> float:
    """How many pixels a text takes, near enough to keep labels apart on any machine.

    >>> round(text_width("Plan", 12))
    24
    """
    total = 0.0
    for letter in text:
        total += 270 if letter in _THIN else 350 if letter in _SLIM else 900 if letter in _BROAD else 520 if letter in _CLOSE else 1000 if ord(letter) > 0x2E7F else 700 if letter.isupper() else 570
    return total / 1000 * size * (1.06 if bold else 1.0)


# Shades of a heat map: the opacity of one colour, so that they turn with dark mode. Each level is drawn in a colour of
# its own that the way out to SVG knows again. The densest is 0.55: there ink still has 4.5:1, in light and in dark.
SHADES = 8


def shade(level: int) -> str:
    """A colour that stands for a level from −SHADES (shortage, full) over 0 (empty) to SHADES (plan, full)."""
    return f"#01{'a0' if level < 0 else 'b0'}{abs(level):02x}"


def shade_of(colour: str) -> tuple[str, float] | None:
    """Role and opacity of a colour made by `shade`.

    >>> shade_of(shade(4))
    ('plan', 0.295)
    """
    if not (colour.startswith("#01a0") or colour.startswith("#01b0")):
        return None
    level = int(colour[5:7], 16)
    return ("short" if colour[3:5] == "a0" else "plan"), round(0.04 + 0.51 * level / SHADES, 3)
