"""What scripts add to pages: copying, a key for searching, times in words, sorting, stops for keyboards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from pypi.web.templates import Templates
from tests.support.browser import Window

Open = Callable[..., Window]

PATH = "/tried-out/"

PARTS = """
{% extends "base.html" %}
{% from "components/copyable.html" import copyable %}
{% from "components/moment.html" import moment %}
{% block main %}
<h1>Parts</h1>
{{ copyable("pip install cheddar\\npip check", "two lines") }}
<p>{% for at in moments %}{{ moment(at) }} {% endfor %}</p>
<table data-sortable>
<thead><tr>
<th scope="col">File</th><th scope="col">Size</th><th scope="col" data-unsorted>More</th>
</tr></thead>
<tbody>
<tr><td>b-1.10.whl</td><td data-value="900">900 B</td><td>x</td></tr>
<tr><td>a-1.9.whl</td><td data-value="1100">1.1 KB</td><td>y</td></tr>
<tr><td>b-1.9.whl</td><td data-value="20">20 B</td><td>z</td></tr>
</tbody>
</table>
<div class="prose"><pre>{{ "short" }}</pre><pre>{{ "long " * 200 }}</pre></div>
<textarea aria-label="Words"></textarea>
{% endblock %}
"""


@pytest.fixture
def parts(window: Open) -> Callable[..., Page]:
    """Opens a page of our own with the parts that scripts make more of."""

    def make(moments: tuple[datetime, ...] = (), **settings: Any) -> Page:
        templates = Templates.installed()
        body = templates.environment.from_string(PARTS).render(moments=moments)
        headers = dict(templates.headers) | {"Content-Type": "text/html; charset=utf-8"}
        opened = window(**settings)
        opened.page.route(f"**{PATH}", lambda route: route.fulfill(body=body, headers=headers))
        opened.open(PATH)
        return opened.page

    return make


def test_copying(parts: Callable[..., Page]) -> None:
    """The button copies the whole line as it stands there, says so, and is itself again after a moment."""
    page = parts(permissions=["clipboard-read", "clipboard-write"])
    page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))
    button = page.get_by_role("button", name="Copy: two lines")
    button.click()
    expect(button).to_have_text("Copied")
    expect(page.get_by_role("status").filter(has_text="Copied")).to_have_count(1)
    assert page.evaluate("navigator.clipboard.readText()") == "pip install cheddar\npip check"
    page.clock.run_for(2000)
    expect(button).to_have_text("Copy")


def test_copying_where_it_is_forbidden(parts: Callable[..., Page]) -> None:
    """Where a script may not copy, the line is selected, so that the reader can."""
    page = parts()
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.get_by_role("button", name="Copy: two lines").click()
    assert page.evaluate("getSelection().toString()") == "pip install cheddar\npip check"


def test_no_button_without_scripts(parts: Callable[..., Page]) -> None:
    """Without scripts there is no button that does nothing, and no table that seems to sort."""
    page = parts(java_script_enabled=False)
    expect(page.locator("[data-copy]")).to_be_hidden()
    expect(page.locator("th button")).to_have_count(0)


def test_key_to_the_search_box(parts: Callable[..., Page]) -> None:
    """A slash leads to the search box; where one types, it is a slash."""
    page = parts()
    page.keyboard.press("/")
    expect(page.locator("[data-search]")).to_be_focused()
    expect(page.locator("[data-search]")).to_have_value("")
    page.get_by_label("Words").focus()
    page.keyboard.press("/")
    expect(page.get_by_label("Words")).to_have_value("/")
    page.locator("h1").click()
    page.keyboard.press("Control+/")
    expect(page.locator("[data-search]")).not_to_be_focused()


def test_relative_times(parts: Callable[..., Page]) -> None:
    """Days that are not long ago are told by how long; others, and such to come, by their date."""
    now = datetime.now(UTC)
    ago = [
        timedelta(seconds=20),
        timedelta(hours=3),
        timedelta(days=1),
        timedelta(days=9),
        timedelta(days=400),
    ]
    page = parts(tuple(now - one for one in (*ago, timedelta(days=-3))))
    shown = page.locator("main time").all_inner_texts()
    assert shown[:4] == ["just now", "3 hours ago", "yesterday", "last week"]
    for text, at in zip(shown[4:], (now - ago[4], now + timedelta(days=3)), strict=True):
        assert text == f"{at.day} {at:%b %Y}"
    assert ":" in (page.locator("main time").first.get_attribute("title") or "")


def test_sorting(parts: Callable[..., Page]) -> None:
    """A head of a table sorts by its column, numbers as such, also within names; again, downwards."""
    page = parts()
    first = page.locator("tbody td:first-child")
    page.get_by_role("button", name="File").press("Enter")
    assert first.all_inner_texts() == ["a-1.9.whl", "b-1.9.whl", "b-1.10.whl"]
    expect(page.locator("th").first).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("button", name="File").press("Enter")
    assert first.all_inner_texts() == ["b-1.10.whl", "b-1.9.whl", "a-1.9.whl"]
    page.get_by_role("button", name="Size").click()
    assert first.all_inner_texts() == ["b-1.9.whl", "b-1.10.whl", "a-1.9.whl"]
    expect(page.locator("th[aria-sort]")).to_have_count(1)
    expect(page.get_by_role("button", name="More")).to_have_count(0)


def test_reached_by_keyboard(parts: Callable[..., Page]) -> None:
    """Code that is wider than its place is a stop for the keyboard; what fits is none."""
    page = parts()
    short, long = page.locator(".prose pre").all()
    expect(long).to_have_attribute("tabindex", "0")
    assert short.get_attribute("tabindex") is None
