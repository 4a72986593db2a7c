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


FONT = 'system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif'

# What a page must carry for figures and tables to be what they are meant to be. The widths are those of the figure's
# own box, not of the window: a figure in a narrow column shows its narrow drawing.
FIGURE_CSS = """\
.fig{container-type:inline-size;margin:0}.fig svg{display:block;overflow:visible}
.fig .fig-w{display:none!important}.fig .fig-n{display:block!important}
@container (min-width:620px){.fig .fig-w{display:block!important}.fig .fig-n{display:none!important}}
"""
TABLE_CSS = """\
.n,.s.n{display:none}
@media(max-width:640px){.w{display:none!important}.n,.s.n{display:block!important}}
"""
