"""Projects whose publishers write code wherever they can: nothing of it runs, nothing of it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser

from tests.support.browser import Window, refuse
from tests.support.hostile import WORD, hostile_projects
from tests.support.site import Site
from tests.web.xss_payloads import PAYLOADS

ACTIVE = r"""
    () => [...document.querySelectorAll(document.contentType === 'text/html' ? '*' : 'no-such-element')]
        .flatMap(one => [...one.attributes]
        .filter(({name, value}) => /^(on|style$|srcdoc$)/i.test(name)
            || /(href|src|srcset|action|data|poster|background)$/i.test(name)
                && /^[\s\x00-\x1f]*(javascript|vbscript|data):/i.test(value))
        .map(({name, value}) => `<${one.tagName.toLowerCase()} ${name}="${value}">`))
"""
"""What would do something, in attributes of what is on the page."""

OURS = "() => [...document.scripts].map(one => one.getAttribute('src') ?? one.textContent)"

EVERY = 5
"""Of the payloads, those that are sent by the search box; tests of the templates send all."""


@pytest.fixture(scope="module")
def watched(browser: Browser, site: Site) -> Iterator[Window]:
    """One window for all of it, so that what is left behind by one page would be seen at the next."""
    context = browser.new_context()
    yield Window.of(context, site.url)
    context.close()


def harm(window: Window, path: str) -> list[str]:
    """What goes wrong on a page."""
    window.open(path)
    page = window.page
    scripts = [one for one in page.evaluate(OURS) if not one.startswith("/static/")]
    found = [*window.complaints, *page.evaluate(ACTIVE), *scripts]
    return [f"{path}: {one}" for one in found]


def all_harm(window: Window, paths: Iterator[str]) -> list[str]:
    """What goes wrong on pages, one after the other."""
    return [one for path in paths for one in harm(window, path)]


def test_pages_of_projects(watched: Window) -> None:
    """On the page of a project nothing runs but what is ours, whatever its publisher wrote."""
    refuse(all_harm(watched, (f"/project/{one.name}/" for one in hostile_projects())))


@pytest.mark.parametrize("section", ["releases", "files", "dependencies", "security", "1.0"])
def test_sections_of_projects(watched: Window, section: str) -> None:
    """Nor on the further pages of one."""
    refuse(all_harm(watched, (f"/project/{one.name}/{section}/" for one in list(hostile_projects())[::8])))


def test_lists(watched: Window) -> None:
    """Nor where projects are found and listed."""
    lists = ["/", "/user/ada/", "/classifiers/", *(f"/search/?q={WORD}&page={page}" for page in (1, 2, 3))]
    refuse(all_harm(watched, iter(lists)))


def test_what_is_asked(watched: Window) -> None:
    """Nor what a link to a search brings along, in words or as a classifier."""
    chosen = [quote(payload) for payload in PAYLOADS[::EVERY]]
    asked = (f"/search/?q={text[:300]}&c={text[:100]}&o={text[:50]}" for text in chosen)
    refuse(all_harm(watched, asked))


def test_completions(window: Callable[..., Window]) -> None:
    """Nor where the box completes a name."""
    opened = window()
    opened.open("/")
    opened.page.locator("input[name=q]").first.fill("hostile")
    opened.page.get_by_role("option").first.wait_for()
    refuse([*opened.complaints, *opened.page.evaluate(ACTIVE)])
