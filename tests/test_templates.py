"""Templates are compiled once, and again when they are edited."""

from __future__ import annotations

import jinja2
import pytest

from sopnb import templates


@pytest.fixture
def compiled(monkeypatch):
    """The sources that were compiled."""
    seen: list[str] = []
    really = jinja2.Environment.compile
    monkeypatch.setattr(jinja2.Environment, "compile", lambda self, source, *rest, **more: seen.append(source) or really(self, source, *rest, **more))
    return seen


def test_a_template_is_compiled_once_for_all_pages_and_again_when_it_is_edited(tmp_path, compiled):
    (tmp_path / "shell.j2").write_text("<{{ name }}>{% block main %}{% endblock %}")
    (tmp_path / "page.j2").write_text("{% extends 'shell.j2' %}{% block main %}{{ title }} {{ what }}{% endblock %}")

    def page(title: str) -> str:
        environment = templates.environment(tmp_path)
        environment.globals["title"] = title  # a page's own, which the next one must not see
        return environment.get_template("page.j2").render(name="a", what="<b>")

    assert [page("One"), page("Two")] == ["<a>One &lt;b&gt;", "<a>Two &lt;b&gt;"] and len(compiled) == 2
    (tmp_path / "shell.j2").write_text("[{{ name }}]{% block main %}{% endblock %}")
    assert page("Three") == "[a]Three &lt;b&gt;" and len(compiled) == 3


def test_environments_of_another_kind_share_nothing(tmp_path, compiled):
    """nbconvert's reads the same files with other rules."""
    (tmp_path / "x.j2").write_text("{{ what }}")
    ours, bare = templates.environment(tmp_path), jinja2.Environment(loader=jinja2.FileSystemLoader(tmp_path), autoescape=False, bytecode_cache=templates.kept("bare"))
    assert [one.get_template("x.j2").render(what="<b>") for one in (ours, bare)] == ["&lt;b&gt;", "<b>"]
    assert len(compiled) == 2


def test_a_missing_value_is_an_error(tmp_path):
    (tmp_path / "x.j2").write_text("{{ what }}")
    with pytest.raises(jinja2.UndefinedError):
        templates.environment(tmp_path).get_template("x.j2").render()
