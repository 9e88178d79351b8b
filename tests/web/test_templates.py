"""Templates: what every page knows, and the parts pages are made of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from importlib.resources import files as resources
from typing import Any

import pytest
from jinja2 import UndefinedError

from pypi import __version__
from pypi.web.templates import Templates, instant, shown_count, shown_day, shown_size
from tests.web.pages.test_home import Reader

AT = datetime(2026, 3, 7, 12, 30, tzinfo=UTC)

IMPORTS = "".join(
    f'{{% from "components/{one}.html" import {one} %}}'
    for one in (
        "badge",
        "breadcrumbs",
        "copyable",
        "icon",
        "moment",
        "notice",
        "paging",
        "project_list",
        "search_box",
        "sections",
        "wide",
    )
)


@pytest.fixture(scope="module")
def templates() -> Templates:
    """Those that are installed, of an index with a name of its own."""
    return Templates.installed(origin="https://index.example", name="Cave & Co.")


def render(templates: Templates, source: str, **values: Any) -> str:
    """A piece of template with all components at hand."""
    return templates.environment.from_string(IMPORTS + source).render(**values)


def shell(templates: Templates, **values: Any) -> str:
    """A page with nothing on it."""
    return templates.environment.from_string('{% extends "base.html" %}').render(**values)


@pytest.mark.parametrize(
    ("size", "shown"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KB"), (1_500_000, "1.4 MB"), (5 << 30, "5.0 GB")],
)
def test_sizes(size: int, shown: str) -> None:
    """Sizes are told in the largest unit that fits."""
    assert shown_size(size) == shown


def test_counts() -> None:
    """Large numbers have their thousands apart."""
    assert (shown_count(7), shown_count(1234567)) == ("7", "1,234,567")


def test_days() -> None:
    """A moment is told by its day in UTC, whatever its own zone, and exactly for machines."""
    late = datetime(2026, 3, 8, 1, 0, tzinfo=timezone(timedelta(hours=2)))
    assert (shown_day(late), instant(late)) == ("7 Mar 2026", "2026-03-07T23:00:00Z")


def test_shell(templates: Templates) -> None:
    """Every page names the index, its version and its serial, and where to search it and follow it."""
    page = shell(templates, serial=4711, path="/project/x/", words='"q"')
    assert "<title>Cave &amp; Co.</title>" in page
    assert f"Cave &amp; Co., kept by Cheeseshop {__version__}" in page
    assert "serial 4711" in page
    assert '<link rel="canonical" href="https://index.example/project/x/">' in page
    assert 'action="/search/" method="get"' in page
    assert 'value="&#34;q&#34;"' in page
    for url in (
        "/rss/updates.xml",
        "/rss/packages.xml",
        "/opensearch.xml",
        "/favicon.ico",
        "/account/",
        "#main",
    ):
        assert f'href="{url}"' in page, url


def test_shell_without_words(templates: Templates) -> None:
    """What a page does not know is not there, and nothing of it either."""
    page = shell(templates)
    assert "serial" not in page
    assert "canonical" not in page
    assert "<style" not in page
    assert page.count("<script") == page.count('<script type="module" src="/static/cheeseshop-') == 1


def test_own_name() -> None:
    """An index that is called what the software is called says so once."""
    assert ">Cheeseshop 0" in shell(Templates.installed()).replace("</svg>", "")[-400:]


def test_unknown_values(templates: Templates) -> None:
    """A template that names what nobody gave it fails where somebody sees it."""
    with pytest.raises(UndefinedError):
        render(templates, "{{ nothing }}")
    with pytest.raises(UndefinedError):
        render(templates, '{{ icon("nothing") }}')


def test_badge(templates: Templates) -> None:
    """A status is a word and an icon, never colour alone."""
    for kind in ("good", "warn", "bad", "neutral"):
        shown = render(templates, "{{ badge(kind, '<word>') }}", kind=kind)
        assert f"badge--{kind}" in shown
        assert "<svg" in shown
        assert "&lt;word&gt;" in shown


def test_copyable(templates: Templates) -> None:
    """A line to paste is shown as it is; its button is only there where a script makes it work."""
    shown = render(templates, '{{ copyable("pip install <x>", "for pip") }}')
    assert "<code>pip install &lt;x&gt;</code>" in shown
    assert 'aria-label="Copy: for pip"' in shown
    assert " hidden " in shown


def test_moment(templates: Templates) -> None:
    """A moment is a day for people and an instant for machines."""
    assert render(templates, "{{ moment(at) }}", at=AT) == (
        '<time datetime="2026-03-07T12:30:00Z" title="2026-03-07T12:30:00Z">7 Mar 2026</time>'
    )


def test_breadcrumbs(templates: Templates) -> None:
    """The last of them is where one is, and no link."""
    shown = render(templates, '{{ breadcrumbs([("Home", "/"), ("<x>", none)]) }}')
    assert '<a href="/">Home</a>' in shown
    assert '<span aria-current="page">&lt;x&gt;</span>' in shown


@pytest.mark.parametrize(
    ("page", "last", "numbers"),
    [
        (1, 1, []),
        (1, 2, ["1", "2"]),
        (1, 9, ["1", "2", "…", "9"]),
        (5, 9, ["1", "…", "4", "5", "6", "…", "9"]),
        (9, 9, ["1", "…", "8", "9"]),
    ],
)
def test_paging(templates: Templates, page: int, last: int, numbers: list[str]) -> None:
    """First, last and neighbours are linked; the rest is passed over; one page needs nothing."""
    shown = render(
        templates, "{{ paging(url, page, last) }}", url=lambda at: f"?page={at}", page=page, last=last
    )
    words = [one for one in Words.of(shown) if one not in ("Page", "Previous", "Next")]
    assert words == numbers
    assert ('rel="prev"' in shown, 'rel="next"' in shown) == (page > 1, page < last)
    assert shown.count("aria-current") == (1 if last > 1 else 0)


def test_project_list(templates: Templates) -> None:
    """Projects with what is known of them."""
    known = {"name": "a b", "version": "1.0", "summary": "<s>", "created": AT}
    shown = render(
        templates, "{{ project_list(hits) }}", hits=[known, {"name": "x", "version": "2", "summary": ""}]
    )
    assert 'href="/project/a%20b/"' in shown
    assert "&lt;s&gt;" in shown
    assert shown.count("<time") == 1


def test_sections(templates: Templates) -> None:
    """The section that is shown is marked as such; how much the others hold is told where it is known."""
    shown = render(templates, '{{ sections([("Files", "/f", 1234), ("Notes", "/n", none)], "/n", "Of x") }}')
    assert '<a class="sections__link" href="/n" aria-current="page">Notes</a>' in shown
    assert "1,234" in shown
    assert 'aria-label="Of x"' in shown


def test_notice_and_wide(templates: Templates) -> None:
    """What stands inside of them is the caller's."""
    shown = render(templates, '{% call notice("warn", "<t>") %}<p>in</p>{% endcall %}')
    assert "&lt;t&gt;" in shown
    assert "<p>in</p>" in shown
    assert "notice--bad" in render(templates, '{{ notice("bad", "t") }}')
    region = render(templates, '{% call wide("Files") %}<table></table>{% endcall %}')
    assert 'role="region" aria-label="Files" tabindex="0"' in region


def test_sound_html(templates: Templates) -> None:
    """The shell with all components closes what it opens."""
    reader = Reader()
    reader.feed(shell(templates, serial=1) + render(templates, '{{ search_box() }}{{ icon("copy") }}'))
    reader.close()
    assert reader.open == []


def html_files() -> Iterator[Any]:
    """Every template of a page; readers of mail know no style sheets of ours, nor policies."""
    folders = [resources("templates")]
    while folders:
        for one in folders.pop().iterdir():
            if one.name == "mail":
                continue
            if one.is_dir():
                folders.append(one)
            elif one.name.endswith(".html"):
                yield one


@pytest.mark.parametrize("file", list(html_files()), ids=lambda file: f"{file.parent.name}/{file.name}")
def test_policy_is_kept(templates: Templates, file: Any) -> None:
    """No template has code or style in it, which its own policy would forbid, and all of them can be read."""
    text = file.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle\s*=|\son[a-z]+\s*=|javascript:", text, re.IGNORECASE)
    is_shell = file.name == "base.html" and "{% extends" not in text
    assert text.count("<script") == (1 if is_shell else 0)
    templates.environment.parse(text)


class Words(HTMLParser):
    """Collects the words of a piece of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    @classmethod
    def of(cls, text: str) -> list[str]:
        """All of them."""
        reader = cls()
        reader.feed(text)
        return reader.words

    def handle_data(self, data: str) -> None:
        """Between tags."""
        self.words += data.split()
