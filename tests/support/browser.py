"""A real browser, driven by tests: what a page makes it load and complain of, and what axe-core thinks of it.

Playwright's synchronous API keeps an event loop of its own in this thread for as long as the browser runs.
It and Twisted's reactor take turns: a test drives the browser, or waits for the reactor, never both.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from attrs import define, field, frozen
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Route,
    expect,
    sync_playwright,
)

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

PATIENCE = 30.0
"""Seconds anything on a page may take, on a machine that is busy."""

WIDTHS = (360, 768, 1280)
SCHEMES = ("light", "dark")
HEIGHTS = {360: 740, 768: 1024, 1280: 800}

TALLEST = 6000
"""Pixels of a page that are worth looking at."""

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
"""What axe-core is asked for: WCAG 2.2 AA, and its own good advice."""

COLOURS = ("color-contrast", "link-in-text-block")
"""Its rules of which the outcome depends on colours."""

BADGE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="96" height="20" viewBox="0 0 96 20">'
    '<rect width="96" height="20" rx="3" fill="#888"/></svg>'
)
"""A picture instead of those that are elsewhere, which are mostly of this size."""

BEYOND = """
    () => [...document.body.querySelectorAll('*')]
        .filter(one => one.getBoundingClientRect().right > innerWidth + 1)
        .filter(one => !one.closest('[tabindex="0"], pre'))
        .map(one => one.tagName.toLowerCase() + (one.className ? '.' + one.className : ''))
        .reverse()
"""

SEND = """
    ([action, fields]) => {
        const form = document.querySelector(`#main form[action="${action}"]`);
        for (const [name, value] of Object.entries(fields)) form.elements[name].value = value;
        HTMLFormElement.prototype.submit.call(form);
    }
"""
"""Sends a form without looking whether it is filled in."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The Chromium of this machine; skips the test where it has none. Nothing of it is left running."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("There is no Chromium on this machine; .ci/run installs it.")
    before = _children()
    expect.set_options(timeout=PATIENCE * 1000)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=program, args=FLAGS, timeout=PATIENCE * 1000 * 3
            )
            yield browser
            browser.close()
    finally:
        # Without its driver a browser ends by itself.
        for left in _children() - before:
            left.kill()


def _children() -> set[psutil.Process]:
    return {one for one in psutil.Process().children() if "node" in one.name()}


@frozen
class Load:
    """One answer the browser got.

    Attributes:
        kind: ``Document``, ``Stylesheet``, ``Script``, ``Image``, ….
        size: bytes on the wire, with headers.
    """

    url: str
    kind: str
    size: int


@define(eq=False, slots=False)  # Playwright remembers handlers by attributes it sets on their owner.
class Window:
    """A window of the browser, and what was noted of it since ``open``.

    Attributes:
        page: Playwright's.
        origin: of the site, without a slash at its end.
        complaints: errors on the console, violations of the policy, dialogs, requests that left the site.
        loads: the answers.
        foreign: pictures elsewhere it would have loaded.
    """

    page: Page
    origin: str
    complaints: list[str] = field(factory=list)
    loads: list[Load] = field(factory=list)
    foreign: list[str] = field(factory=list)
    _kinds: dict[str, tuple[str, str]] = field(factory=dict)

    @classmethod
    def of(cls, context: BrowserContext, origin: str, *, measured: bool = False) -> Window:
        """A new window.

        Args:
            context: with the settings it shall have.
            origin: of the site.
            measured: whether its loads are noted; then nothing comes from the browser's cache.
        """
        context.set_default_timeout(PATIENCE * 1000)
        window = cls(context.new_page(), origin)
        page = window.page
        page.on("console", window._console)
        page.on("pageerror", lambda error: window.complaints.append(f"script failed: {error}"))
        page.on("dialog", window._dialog)
        page.route(lambda url: not url.startswith((origin, "data:", "blob:")), window._elsewhere)
        if measured:
            protocol = context.new_cdp_session(page)
            protocol.send("Network.enable")
            protocol.send("Network.setCacheDisabled", {"cacheDisabled": True})
            protocol.on("Network.responseReceived", window._received)
            protocol.on("Network.loadingFinished", window._finished)
        return window

    def open(self, path: str) -> int:
        """Go to a path of the site, with nothing noted of it yet.

        Returns:
            the status of the answer.
        """
        for noted in (self.complaints, self.loads, self.foreign):
            noted.clear()
        answer = self.page.goto(self.origin + path)
        assert answer is not None
        return answer.status

    def send(self, action: str, fields: Mapping[str, str]) -> int:
        """Send a form of the page, whatever the browser itself has to say of it; noted as of ``open``.

        Args:
            action: of the form.
            fields: values of those that are filled in, by name.

        Returns:
            the status of the answer.
        """
        for noted in (self.complaints, self.loads, self.foreign):
            noted.clear()
        with self.page.expect_navigation() as gone:
            self.page.evaluate(SEND, [action, dict(fields)])
        answer = gone.value
        assert answer is not None
        return answer.status

    def show(self, width: int, scheme: str) -> None:
        """Change the window's width and the colours people ask for."""
        self.page.set_viewport_size({"width": width, "height": HEIGHTS.get(width, 800)})
        self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]

    @property
    def path(self) -> str:
        """Path and query of where it is."""
        return self.page.url.removeprefix(self.origin)

    @property
    def size(self) -> int:
        """Bytes the page took on the wire, with all it loaded."""
        return sum(load.size for load in self.loads)

    def count(self, kind: str) -> int:
        """How many answers were of a kind."""
        return sum(load.kind == kind for load in self.loads)

    def sideways(self) -> int:
        """Pixels the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    def widest(self) -> list[str]:
        """What reaches beyond the window's edge, from the inside: the first few, as they are named in CSS."""
        found: list[str] = self.page.evaluate(BEYOND)
        return found[:5]

    def axe(self, *, colours_only: bool = False) -> list[str]:
        """What axe-core finds wrong with the page as it is shown.

        Args:
            colours_only: for a page of which all else has been looked at, in other colours.
        """
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE_SCRIPT)
        options: dict[str, Any] = {"resultTypes": ["violations"], "runOnly": RULES}
        if colours_only:
            options["runOnly"] = {"type": "rule", "values": COLOURS}
        else:
            # Of WCAG 2.2, and off unless it is asked for.
            options["rules"] = {"target-size": {"enabled": True}}
        found = self.page.evaluate("options => axe.run(document, options)", options)
        return [_told(rule, node) for rule in found["violations"] for node in rule["nodes"][:4]]

    def picture(self, path: str) -> None:
        """Write a picture of the page, down to where nobody looks any more."""
        height = self.page.evaluate("document.documentElement.scrollHeight")
        size = self.page.viewport_size
        assert size is not None
        clip = {"x": 0, "y": 0, "width": size["width"], "height": max(1, min(height, TALLEST))}
        self.page.screenshot(path=path, full_page=True, clip=clip)  # type: ignore[arg-type]

    def tab_to(self, selector: str, *, most: int = 80) -> None:
        """Press Tab until what has the focus matches."""
        for _ in range(most):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("s => document.activeElement.matches(s)", selector):
                return
        pytest.fail(f"Tab does not lead to {selector} on {self.path}.")

    def focus_is_visible(self) -> bool:
        """Whether one sees what has the focus."""
        look = "(s => s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2)"
        return bool(self.page.evaluate(f"{look}(getComputedStyle(document.activeElement))"))

    def _console(self, message: ConsoleMessage) -> None:
        of_the_page = message.location.get("url") == self.page.url
        if message.type == "error" and not (of_the_page and "the server responded" in message.text):
            self.complaints.append(f"console: {message.text}")

    def _dialog(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _elsewhere(self, route: Route) -> None:
        if route.request.resource_type == "image":
            self.foreign.append(route.request.url)
            route.fulfill(body=BADGE, content_type="image/svg+xml")
            return
        self.complaints.append(f"left the site for {route.request.url}")
        route.abort()

    def _received(self, event: Mapping[str, Any]) -> None:
        self._kinds[event["requestId"]] = event["response"]["url"], event["type"]

    def _finished(self, event: Mapping[str, Any]) -> None:
        url, kind = self._kinds.get(event["requestId"], ("", ""))
        if urlsplit(url).scheme.startswith("http"):
            self.loads.append(Load(url, kind, int(event["encodedDataLength"])))


def refuse(faults: Iterable[str]) -> None:
    """Fail the test with these faults, a line for each; with none, go on."""
    if told := "\n".join(faults):
        pytest.fail(told, pytrace=False)


def _told(rule: Mapping[str, Any], node: Mapping[str, Any]) -> str:
    target = " ".join(map(str, node["target"]))
    why = next(one["message"] for kind in ("any", "all", "none") for one in node[kind])
    return f"{rule['id']}: {target}: {why} | {node['html'][:120]!r}"
