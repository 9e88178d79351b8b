"""Ways to use a page: a mouse, the keyboard alone, a finger, and a browser in which no script runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from attrs import define, frozen
from playwright.sync_api import Locator

from tests.support.browser import Window

MOST_TABS = 150
HAS_FOCUS = "element => element === document.activeElement"


@define(eq=False)
class Hand:
    """A hand on the mouse, and both on the keyboard where something is to be written."""

    window: Window

    def press(self, target: Locator) -> None:
        """Follow a link, push a button, open what is folded."""
        target.click()

    def follow(self, target: Locator) -> None:
        """Press what leads to another page, and wait until one is there.

        A page that is about to be left looks like any other: its fields can be written into, in vain.
        """
        with self.window.page.expect_navigation():
            self.press(target)

    def write(self, target: Locator, text: str) -> None:
        """Write into a field."""
        self.press(target)
        self.window.page.keyboard.type(text)

    def choose(self, target: Locator, label: str) -> None:
        """Choose one of a list by how it begins."""
        option = target.locator("option", has_text=re.compile(rf"^\s*{re.escape(label)}")).first
        target.select_option(value=option.get_attribute("value") or option.inner_text())

    def tick(self, target: Locator) -> None:
        """Put a tick into a box."""
        target.check()

    def send(self) -> None:
        """Send the form that was written into, and wait for the page that answers it."""
        with self.window.page.expect_navigation():
            self.window.page.keyboard.press("Enter")


class Finger(Hand):
    """A finger on glass."""

    def press(self, target: Locator) -> None:
        """Tap it."""
        target.tap()


class Keys(Hand):
    """The keyboard alone: wherever one comes, one sees it."""

    def press(self, target: Locator) -> None:
        """Reach it by Tab, and press Enter."""
        self.reach(target)
        self.window.page.keyboard.press("Enter")

    def follow(self, target: Locator) -> None:
        """Reach it by Tab, and go where it leads."""
        self.reach(target)
        super().follow(target)

    def write(self, target: Locator, text: str) -> None:
        """Reach the field, and write."""
        self.reach(target)
        self.window.page.keyboard.type(text)

    def choose(self, target: Locator, label: str) -> None:
        """Reach the list, and write how what is meant begins."""
        self.reach(target)
        self.window.page.keyboard.type(label)

    def tick(self, target: Locator) -> None:
        """Reach the box, and press the space bar."""
        self.reach(target)
        self.window.page.keyboard.press("Space")

    def reach(self, target: Locator) -> None:
        """Press Tab until it has the focus."""
        target.wait_for()
        for _ in range(MOST_TABS):
            if target.evaluate(HAS_FOCUS):
                return
            self.window.page.keyboard.press("Tab")
            if not self.window.focus_is_visible():
                where = self.window.page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
                pytest.fail(f"One does not see that this has the focus: {where}")
        pytest.fail(f"Tab does not lead to {target} on {self.window.path}")


@frozen
class Way:
    """A way to use pages.

    Attributes:
        hand: what uses them.
        settings: of the browser.
    """

    name: str
    hand: Callable[[Window], Hand]
    settings: dict[str, Any]

    @property
    def has_scripts(self) -> bool:
        """Whether scripts run."""
        return bool(self.settings.get("java_script_enabled", True))

    def __str__(self) -> str:
        return self.name


DESK = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}

WAYS: Sequence[Way] = (
    Way("mouse", Hand, DESK),
    Way("keyboard", Keys, DESK),
    Way("finger", Finger, PHONE),
    Way("without-scripts", Hand, DESK | {"java_script_enabled": False}),
    Way("keyboard-without-scripts", Keys, DESK | {"java_script_enabled": False}),
)
