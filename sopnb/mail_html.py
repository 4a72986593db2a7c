"""HTML for mails: the templates, the colours by role, and the few rules for phones and dark mode that stand in the head."""

from __future__ import annotations

import functools
import re
from typing import Any

from sopnb import report, words
from sopnb.front_ground import held
from sopnb.style import LIGHT, ROLES
from sopnb.words import Sentence

GROUND, TINT = "#eef1f3", "#eef3f6"  # around the column; behind what is recommended
STATES = {"green": "on", "amber": "watch", "red": "off"}


@functools.cache
def css() -> str:
    """The rules of template/mail.css with the dark colours of their roles; under 8,192 characters, beyond which Gmail drops them all."""
    text = (report.TEMPLATES / "mail.css").read_text(encoding="utf-8")
    dark = {role: shade for role, (_, _, shade) in ROLES.items()}
    return re.sub(r"DARK_([a-z]+(?:-t)?)", lambda found: dark[found[1]], re.sub(r"\s*\n\s*", "", text))


def render(template: str, **values: Any) -> str:
    """A mail's HTML. Every template is given: language, subject, preheader, company, about, headline, revised, lead, where, reports_url, for_you,
    closing, id (the mail's, for its pictures)."""
    from markupsafe import Markup

    from sopnb import templates

    environment = templates.environment(report.TEMPLATES)
    environment.filters["h"] = lambda one: Markup(held(one.html)) if isinstance(one, Sentence) else one
    environment.globals.update(t=lambda key, **said: Markup(held(words.message(key, said).html)), show=words.show, colours=LIGHT, ground=GROUND, tint=TINT, css=Markup(css()))
    return environment.get_template(template).render(**values)
