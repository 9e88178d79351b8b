"""The boxes that complete names: what they ask for, what they show, and what keys, mouse and finger do."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from attrs import define, field
from playwright.sync_api import Locator, Page, Route, expect

from tests.support.browser import SCHEMES, Window, refuse

Open = Callable[..., Window]

NAMES = ("cheddar", "cheddar-gorge", "Cheese.Board")
EVIL = "<img src=x onerror=alert(1)>"

MORNING, NOON = datetime(2026, 6, 1, 8, tzinfo=UTC), datetime(2026, 6, 1, 12, tzinfo=UTC)
"""When the clock of the pages begins, and where it stands still."""

PAUSE = 200
"""Milliseconds after which one has stopped typing."""


@define(eq=False, slots=False)  # Playwright remembers handlers by attributes it sets on their owner.
class Box:
    """A search box with somebody in front of it, who types without a pause however slow the machine is.

    Attributes:
        asked: for what suggestions were asked, in that order.
        held: answers nobody gives until the test does.
    """

    window: Window
    known: Mapping[str, Any]
    hold: bool = False
    asked: list[str] = field(factory=list)
    held: list[Route] = field(factory=list)

    @property
    def page(self) -> Page:
        return self.window.page

    @property
    def input(self) -> Locator:
        return self.page.locator("[data-search]").first

    @property
    def list(self) -> Locator:
        return self.page.get_by_role("listbox", name="Projects")

    @property
    def options(self) -> Locator:
        return self.list.get_by_role("option")

    def type(self, text: str) -> None:
        """Write, and pause."""
        self.input.press_sequentially(text)
        self.pause()

    def pause(self) -> None:
        """Let the page's clock go on for as long as it waits for another key."""
        self.page.clock.run_for(PAUSE)

    def until_asked(self, *words: str) -> None:
        """Wait until suggestions were asked for, for all of these."""
        for _ in range(1000):
            if self.asked == list(words):
                return
            self.page.wait_for_timeout(20)
        pytest.fail(f"suggestions were asked for {self.asked}, not for {words}")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.input.press(key)

    def chosen(self) -> str | None:
        """The name of the option that is announced as chosen."""
        place = self.input.get_attribute("aria-activedescendant")
        if place is None:
            assert self.list.locator("[aria-selected=true]").count() == 0
            return None
        option = self.page.locator(f"#{place}")
        expect(option).to_have_attribute("aria-selected", "true")
        return option.locator(".combobox__name").inner_text()

    def answer(self, route: Route) -> None:
        """Answer as the service does."""
        [words] = parse_qs(urlsplit(route.request.url).query)["q"]
        if words == "broken":
            route.fulfill(status=503, body="503 Service Unavailable")
            return
        found = self.known.get(words, [{"name": name, "summary": f"All of {name}"} for name in NAMES])
        route.fulfill(content_type="application/json", body=json.dumps({"suggestions": found}))

    def _asked(self, route: Route) -> None:
        self.asked += parse_qs(urlsplit(route.request.url).query)["q"]
        self.held.append(route) if self.hold else self.answer(route)


@pytest.fixture
def box(window: Open) -> Callable[..., Box]:
    """Opens a page with a box."""

    def make(path: str = "/", known: Mapping[str, Any] = {}, **settings: object) -> Box:
        made = Box(window(**settings), known)
        made.page.clock.install(time=MORNING)
        made.page.clock.pause_at(NOON)
        made.page.route("**/api/search/suggest?*", made._asked)
        assert made.window.open(path) == 200
        return made

    return make


def test_before_anything_is_typed(box: Callable[..., Box]) -> None:
    """A box says that it completes, and has nothing to show."""
    here = box()
    expect(here.input).to_have_attribute("role", "combobox")
    expect(here.input).to_have_attribute("aria-autocomplete", "list")
    expect(here.input).to_have_attribute("aria-expanded", "false")
    here.input.focus()
    here.press("ArrowDown", "Escape", "End")
    expect(here.list).to_be_hidden()
    assert here.asked == []


def test_every_page_has_one(box: Callable[..., Box]) -> None:
    """Whatever has a box, has one that completes; each has a list of its own."""
    for path in ("/", "/search/", "/classifiers/", "/nowhere/"):
        here = box("/")
        here.window.open(path)
        lists = [
            one.get_attribute("aria-controls")
            for one in here.page.locator("[data-search][role=combobox]").all()
        ]
        assert len(lists) == len(set(lists)) >= 1, path


def test_keys(box: Callable[..., Box]) -> None:
    """Arrows lead through the list and back to the field, Home and End to its ends; the text stays."""
    here = box()
    here.type("che")
    expect(here.options).to_have_count(3)
    expect(here.input).to_have_attribute("aria-expanded", "true")
    assert here.list.get_attribute("id") == here.input.get_attribute("aria-controls")
    assert here.chosen() is None
    walk = []
    for key in ("ArrowDown", "ArrowDown", "End", "ArrowDown", "ArrowUp", "Home", "ArrowUp", "ArrowDown"):
        here.press(key)
        walk.append(here.chosen())
    first, second, last = NAMES
    assert walk == [first, second, last, None, last, first, None, first]
    expect(here.input).to_be_focused()
    expect(here.input).to_have_value("che")


def test_enter_with_a_choice(box: Callable[..., Box]) -> None:
    """Enter leads to the page of the project that is chosen."""
    here = box()
    here.type("che")
    expect(here.options).to_have_count(3)
    here.press("ArrowDown", "ArrowDown", "Enter")
    here.page.wait_for_url("**/project/cheddar-gorge/")


def test_enter_without_a_choice(box: Callable[..., Box]) -> None:
    """Enter sends the form where nothing is chosen, or what was chosen is given up."""
    here = box()
    here.type("che")
    expect(here.options).to_have_count(3)
    here.press("ArrowDown", "ArrowUp", "Enter")
    here.page.wait_for_url("**/search/?q=che")


def test_typing_on(box: Callable[..., Box]) -> None:
    """Who types on has chosen nothing any more."""
    here = box()
    here.type("che")
    expect(here.options).to_have_count(3)
    here.press("ArrowDown", "d")
    assert here.chosen() is None
    here.press("Enter")
    here.page.wait_for_url("**/search/?q=ched")


def test_escape(box: Callable[..., Box]) -> None:
    """Escape closes the list and keeps the text; an arrow opens it again."""
    here = box()
    here.type("che")
    expect(here.options).to_have_count(3)
    here.press("ArrowDown", "Escape")
    expect(here.list).to_be_hidden()
    expect(here.input).to_have_attribute("aria-expanded", "false")
    expect(here.input).to_have_value("che")
    assert here.input.get_attribute("aria-activedescendant") is None
    here.press("ArrowDown")
    expect(here.options).to_have_count(3)


def test_what_is_known_is_not_asked_again(box: Callable[..., Box]) -> None:
    """Suggestions are asked for in a pause, and once for the same words."""
    here = box()
    here.type("che")
    expect(here.options).to_have_count(3)
    here.type("d")
    expect(here.input).to_have_value("ched")
    here.until_asked("che", "ched")
    expect(here.options.first.locator("mark")).to_have_text("ched")
    here.press("Backspace")
    here.pause()
    expect(here.options.first.locator("mark")).to_have_text("che")
    here.page.wait_for_timeout(200)
    assert here.asked == ["che", "ched"]


def test_late_answers(box: Callable[..., Box]) -> None:
    """An answer that comes when something else was typed shows nothing."""
    here = box(known={"ch": [{"name": "outdated", "summary": ""}]})
    here.hold = True
    here.type("ch")
    here.until_asked("ch")
    here.hold = False
    here.type("e")
    expect(here.options).to_have_count(3)
    [late] = here.held
    here.answer(late)
    here.page.wait_for_timeout(200)
    expect(here.options.first).to_contain_text("cheddar")
    assert here.asked == ["ch", "che"]


@pytest.mark.parametrize("words", ["nothing", "broken", "   "])
def test_nothing_to_show(box: Callable[..., Box], words: str) -> None:
    """Where nothing is found, or something fails, there is no list and no complaint."""
    here = box(known={"nothing": []})
    here.type(words)
    here.until_asked(*filter(str.strip, [words]))
    here.page.wait_for_timeout(200)
    expect(here.list).to_be_hidden()
    expect(here.input).to_have_attribute("aria-expanded", "false")


def test_emptied(box: Callable[..., Box]) -> None:
    """An empty box shows nothing."""
    here = box()
    here.type("che")
    expect(here.options).to_have_count(3)
    here.input.fill("")
    expect(here.list).to_be_hidden()


def test_pointing(box: Callable[..., Box]) -> None:
    """A click on an option leads to its project; one beside the list closes it."""
    here = box()
    here.type("che")
    expect(here.options).to_have_count(3)
    here.page.mouse.click(5, 500)
    expect(here.list).to_be_hidden()
    here.press("ArrowDown")
    here.options.nth(2).click()
    here.page.wait_for_url("**/project/Cheese.Board/")


def test_tapping(box: Callable[..., Box]) -> None:
    """A finger does the same, on a screen as small as a phone's."""
    here = box(has_touch=True, is_mobile=True, viewport={"width": 360, "height": 740})
    here.input.tap()
    here.type("che")
    here.options.first.tap()
    here.page.wait_for_url("**/project/cheddar/")


def test_back(box: Callable[..., Box]) -> None:
    """Who comes back finds the list closed, and the box at work."""
    here = box()
    here.type("che")
    here.options.first.click()
    here.page.wait_for_url("**/project/cheddar/")
    here.page.go_back()
    expect(here.list).to_be_hidden()
    here.input.fill("")
    here.type("ched")
    expect(here.options).to_have_count(3)


def test_announced(box: Callable[..., Box]) -> None:
    """How many there are is said to those who do not see it."""
    here = box(known={"one": [{"name": "one", "summary": ""}]})
    said = here.page.locator("form:has([data-search]) [role=status]").first
    here.type("che")
    expect(said).to_have_text("3 suggestions")
    here.press("Escape")
    expect(said).to_have_text("")
    here.input.fill("")
    here.type("one")
    expect(said).to_have_text("1 suggestion")


def test_hostile_names(box: Callable[..., Box]) -> None:
    """Names and summaries are text, and lead nowhere else."""
    here = box(known={"<img": [{"name": EVIL, "summary": EVIL}, {"name": "../../evil?a=b#c", "summary": ""}]})
    here.type("<img")
    expect(here.options.first).to_contain_text(EVIL)
    assert here.list.locator("img").count() == 0
    here.options.nth(1).click()
    here.page.wait_for_url(re.compile(r"/project/\.\.%2F\.\.%2Fevil%3Fa%3Db%23c/$"))
    refuse(here.window.complaints)


@pytest.mark.parametrize("width", [360, 1280])
def test_looks(box: Callable[..., Box], width: int) -> None:
    """An open list is accessible, fits, and can be told from what is behind it."""
    long = [{"name": "a" + "-very" * 40, "summary": "word " * 200} for _ in range(8)]
    here = box("/search/", known={"a": long})
    here.page.clock.resume()  # axe-core waits for it
    for scheme in SCHEMES:
        here.window.show(width, scheme)
        here.input.fill("")
        here.type("a")
        expect(here.options).to_have_count(8)
        here.press("ArrowDown")
        refuse(here.window.axe())
        assert here.window.sideways() == 0
        area = here.list.bounding_box()
        field_ = here.input.bounding_box()
        assert area is not None
        assert field_ is not None
        assert area["y"] >= field_["y"] + field_["height"]
        assert area["x"] + area["width"] <= width
