"""Every page, at every width, light and dark: nobody is kept out, nothing is cut off, nothing goes wrong."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import pytest
from playwright.sync_api import Browser, StorageState

from pypi.http.answer import Answer
from pypi.web.pages.errors import TITLES, ErrorPages
from pypi.web.templates import Templates
from tests.browser.pages import PAGES, REAL, Shown
from tests.support.browser import SCHEMES, WIDTHS, Window, refuse
from tests.support.site import Site

MOST_BYTES = 60_000

SITEMAP = Path(__file__).parents[2] / "docs" / "pages.md"

SPOIL = """
    () => {
        const spoilt = document.createElement('p');
        spoilt.id = 'spoilt';
        spoilt.innerHTML = '<button></button>pale words<img src="/nowhere.png" alt="" onerror="alert(1)">';
        Object.assign(spoilt.style, { width: '2000px', color: '#777', background: '#888' });
        document.querySelector('#main').append(spoilt);
    }
"""
"""Makes a page worse."""

BEGINS = """
    selector => {
        const box = document.querySelector(selector), line = document.createRange();
        line.selectNodeContents(box);
        return line.getClientRects()[0].left - box.getBoundingClientRect().left < 1 ? 'left' : 'right';
    }
"""
"""The side on which a text begins."""

NARROWEST = 320
"""Pixels on which everything has to find room without scrolling sideways (WCAG 1.4.10)."""

FEW = [(360, "light"), (1280, "dark")]
ALL_PICTURES = "SCREENSHOTS" in os.environ
"""They take as long as all the rest: without a folder that is asked for, only a few are taken."""


@pytest.fixture(scope="module")
def watched(browser: Browser, site: Site) -> Iterator[Window]:
    """One window for all pages; each of them is loaded as if for the first time."""
    context = browser.new_context()
    yield Window.of(context, site.url, measured=True)
    context.close()


@pytest.fixture(scope="module")
def windows(
    browser: Browser, site: Site, watched: Window, states: Mapping[str, StorageState]
) -> Iterator[Mapping[str, Window]]:
    """That window, and one for each of the people who are signed in."""
    contexts = {name: browser.new_context(storage_state=state) for name, state in states.items()}
    signed_in = {name: Window.of(context, site.url, measured=True) for name, context in contexts.items()}
    yield {"": watched} | signed_in
    for context in contexts.values():
        context.close()


def faults(window: Window, shown: Shown, shots: Path) -> list[str]:
    """What is wrong with the page that is open, a line for each fault; and pictures of it."""
    found: dict[str, list[str]] = {}
    for width, scheme in FEW if shown.briefly else product(WIDTHS, SCHEMES):
        window.show(width, scheme)
        for fault in [*beside(window), *window.axe(colours_only=scheme == "dark" and not shown.briefly)]:
            found.setdefault(fault, []).append(f"{width} {scheme}")
        if (width, scheme) in FEW or ALL_PICTURES:
            window.picture(str(shots / f"{shown.name}-{width}-{scheme}.png"))
    window.show(NARROWEST, "light")
    found |= {f"{NARROWEST} px are too few": [fault] for fault in beside(window)}
    told = [f"{fault}  [{', '.join(where)}]" for fault, where in found.items()]
    return [*told, *window.complaints]


def beside(window: Window) -> list[str]:
    """What is to be seen only by scrolling sideways."""
    over = window.sideways()
    return [f"{over} px are beside the window: {', '.join(window.widest())}"] if over > 0 else []


def test_faults_are_found(watched: Window) -> None:
    """What these tests look for is found where it is."""
    watched.open("/")
    watched.show(360, "dark")
    with watched.page.expect_response("**/nowhere.png"):
        watched.page.evaluate(SPOIL)
    assert [fault.partition(":")[0] for fault in watched.axe(colours_only=True)] == ["color-contrast"]
    assert {"button-name", "color-contrast"} <= {fault.partition(":")[0] for fault in watched.axe()}
    assert watched.sideways() > 100
    assert any("Content Security Policy" in complaint for complaint in watched.complaints)
    assert any("404" in complaint for complaint in watched.complaints)
    watched.open("/")
    assert not watched.complaints


@pytest.mark.parametrize("shown", PAGES, ids=str)
def test_page(shown: Shown, windows: Mapping[str, Window], shots: Path) -> None:
    """A page is accessible, fits every window, and makes the browser complain of nothing."""
    watched = windows[shown.by]
    code = watched.open(shown.path)
    if shown.sends:
        code = watched.send(shown.sends, dict(shown.fills))
    assert code == shown.code
    refuse(faults(watched, shown, shots))
    assert watched.count("Stylesheet") == 1
    assert watched.count("Script") <= 1
    assert shown.content or watched.size <= MOST_BYTES, watched.loads


@pytest.mark.parametrize("name", REAL)
def test_page_of_a_real_project(name: str, site: Site, watched: Window, shots: Path) -> None:
    """So is the page of a real project, whatever its authors wrote."""
    if name not in site.real:
        pytest.skip(f"{name} is not here: {site.why_not_real or 'it is no dependency any more'}")
    assert watched.open(f"/project/{name}/") == 200
    refuse(faults(watched, Shown(f"real-{name}", f"/project/{name}/"), shots))


@pytest.mark.parametrize("code", sorted(TITLES))
def test_page_when_something_went_wrong(code: int, watched: Window, shots: Path) -> None:
    """So is what people are told when something went wrong."""
    request = SimpleNamespace(text_path="/project/wensleydal/")
    answer = ErrorPages(Templates.installed())(request, code, "This is what went wrong.", 30)
    page, path = watched.page, f"/when-it-is-{code}/"
    page.route(
        f"**{path}", lambda route: route.fulfill(status=code, body=answer.body, headers=_plain(answer))
    )
    assert watched.open(path) == code
    refuse(faults(watched, Shown(f"error-{code}", path, briefly=True), shots))


def _plain(answer: Answer) -> dict[str, str]:
    return dict(answer.headers) | {"Content-Type": answer.content_type}


@pytest.mark.parametrize("path", ["/", "/search/", "/project/wensleydale/", "/nowhere/"])
def test_way_past_the_head(path: str, watched: Window) -> None:
    """The first that Tab reaches leads past the head of the page, and "/" leads to the search box."""
    watched.open(path)
    watched.tab_to(".skip-link", most=1)
    assert watched.focus_is_visible()
    watched.page.keyboard.press("Enter")
    watched.tab_to("#main *", most=1)
    watched.page.locator("h1").first.click()
    watched.page.keyboard.press("/")
    assert watched.page.evaluate("document.activeElement.name") == "q"


def test_text_from_right_to_left(watched: Window) -> None:
    """What is written from right to left begins at the right."""
    for name, side in [("right-to-left", "right"), ("wensleydale", "left")]:
        watched.open(f"/project/{name}/")
        for text in (".project-header__summary", ".prose p"):
            assert watched.page.evaluate(BEGINS, text) == side


def test_all_pages_are_looked_at() -> None:
    """None of the pages of the sitemap is left out."""
    listed = re.findall(r"^\| `(/[^`]*)` \|", SITEMAP.read_text(), re.MULTILINE)
    shown = [page.path.partition("?")[0] for page in PAGES]
    left_out = [path for path in listed if not any(map(_pattern(path).fullmatch, shown))]
    assert listed
    assert left_out == []


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"<\w+>", "[^/]+", path))
