"""What people come for, from the first page to the last, in every way one can use a browser."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.hands import WAYS, Hand, Way
from tests.support.browser import Window, refuse
from tests.support.service import environment, run
from tests.support.site import Site

Open = Callable[..., Window]

pytestmark = pytest.mark.parametrize("way", WAYS, ids=str)

SELECTED = "getSelection().toString().trim()"


def at(way: Way, window: Open, path: str) -> tuple[Page, Hand]:
    """Somebody who has just opened a page of the site."""
    opened = window(**way.settings)
    opened.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    assert opened.open(path) == 200
    return opened.page, way.hand(opened)


def copied(page: Page, hand: Hand, way: Way) -> str:
    """The line that installs what the page is about, as somebody would take it along."""
    line = page.locator("#main .copyable").first
    if way.has_scripts:
        page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))  # what it says, it says for a moment
        hand.press(line.get_by_role("button", name=re.compile("^Copy")))
        expect(line.get_by_role("button")).to_contain_text("Copied")
        return str(page.evaluate("navigator.clipboard.readText()"))
    expect(line.get_by_role("button")).to_have_count(0)
    line.locator("code").click(click_count=3)
    return str(page.evaluate(SELECTED))


def test_find_read_and_copy(way: Way, window: Open, site: Site, tmp_path: Path) -> None:
    """Words lead to a project, its page says what it is, and its line, once copied, installs it."""
    page, hand = at(way, window, "/")
    box = page.get_by_role("search").get_by_role("searchbox").or_(page.get_by_role("combobox")).first
    hand.write(box, "crumbly cheese")
    hand.send()
    page.wait_for_url("**/search/?**")
    hand.follow(page.locator("#main").get_by_role("link", name="wensleydale", exact=True))
    expect(page.locator("#main h1").first).to_contain_text("wensleydale")
    expect(page.locator("#main").get_by_text("A small library that tastes")).to_be_visible()
    line = copied(page, hand, way)
    assert line == f"pip install --index-url {site.url}/simple/ wensleydale"
    _install(line, tmp_path)
    assert (tmp_path / "target" / "wensleydale.py").exists()
    refuse(hand.window.complaints)


def _install(line: str, folder: Path) -> None:
    """Do what the line says, with nothing it requires, in a place of its own."""
    program, *arguments = shlex.split(line)
    assert program == "pip"
    aside = ["--no-deps", "--no-cache-dir", "--disable-pip-version-check", "--target", folder / "target"]
    run([sys.executable, "-m", "pip", *arguments, *aside], cwd=folder, environment=environment(folder))


def test_filter_by_classifier(way: Way, window: Open, site: Site) -> None:
    """A search is narrowed to a classifier, and widened again."""
    page, hand = at(way, window, "/search/?q=cheese")
    results = page.locator("#main .results")
    before = results.get_by_role("listitem").count()
    filters = page.get_by_role("region", name="Filters")
    for folded in ("Filters", "Framework"):
        _unfold(hand, filters.locator("summary", has_text=re.compile(rf"^\s*{folded}")))
    hand.follow(filters.get_by_role("link", name="Twisted"))
    page.wait_for_url("**Framework**")
    expect(results).to_contain_text("wensleydale")
    assert 1 <= results.get_by_role("listitem").count() < before
    hand.follow(page.get_by_role("link", name=re.compile("^Remove the filter Framework")))
    page.wait_for_url(lambda url: "Framework" not in url)
    assert results.get_by_role("listitem").count() == before
    refuse(hand.window.complaints)


def _unfold(hand: Hand, summary: Locator) -> None:
    """Open what is folded, where it is and not open already."""
    if summary.first.is_visible() and not summary.first.evaluate("one => one.parentElement.open"):
        hand.press(summary.first)


def test_complete_a_name(way: Way, window: Open, site: Site) -> None:
    """The start of a name is completed; where no script runs, it is searched for."""
    page, hand = at(way, window, "/")
    hand.write(page.locator("input[name=q]").first, "wensl")
    if way.has_scripts:
        option = page.get_by_role("option", name=re.compile("^wensleydale"))
        expect(option.locator("mark")).to_have_text("wensl")  # that is, nothing else is to come
        if way.name == "keyboard":
            page.keyboard.press("ArrowDown")
            expect(option).to_have_attribute("aria-selected", "true")
            page.keyboard.press("Enter")
        else:
            hand.press(option)
    else:
        hand.send()
        hand.follow(page.locator("#main").get_by_role("link", name="wensleydale", exact=True))
    page.wait_for_url("**/project/wensleydale/")
    refuse(hand.window.complaints)


def test_follow_the_history(way: Way, window: Open, site: Site) -> None:
    """The history of a project leads to an old release, which says so, and back to the latest."""
    page, hand = at(way, window, "/project/wensleydale/")
    sections = page.get_by_role("navigation", name=re.compile("wensleydale|[Ss]ections"))
    hand.follow(sections.get_by_role("link", name=re.compile("^(Releases|History)")))
    hand.follow(page.locator("#main").get_by_role("link", name="1.0", exact=True))
    page.wait_for_url("**/project/wensleydale/1.0/")
    heading = page.locator("#main h1").first
    expect(heading).to_contain_text("1.0")
    hand.follow(page.locator("#main").get_by_role("link", name=re.compile(r"2\.0")).first)
    page.wait_for_url(re.compile(r"/project/wensleydale/(2\.0/)?$"))
    expect(heading).to_contain_text("2.0")
    refuse(hand.window.complaints)
