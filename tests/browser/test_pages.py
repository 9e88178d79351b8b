"""Every page, at every width, light and dark: nobody is kept out, nothing is cut off, nothing goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.pages import PAGES, REAL, Shown
from tests.support.browser import SCHEMES, WIDTHS, Window, refuse
from tests.support.site import Site

MOST_BYTES = 60_000

FEW = [(360, "light"), (768, "dark"), (1280, "light")]

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def watched(browser: Browser, site: Site) -> Iterator[Window]:
    """One window for all pages; each of them is loaded as if for the first time."""
    context = browser.new_context()
    yield Window.of(context, site.url, measured=True)
    context.close()


def faults(window: Window, shown: Shown, shots: Path) -> list[str]:
    """What is wrong with the page that is open, a line for each fault; and pictures of it."""
    found: dict[str, list[str]] = {}
    for width, scheme in FEW if shown.is_long else product(WIDTHS, SCHEMES):
        window.show(width, scheme)
        for fault in [*beside(window), *window.axe()]:
            found.setdefault(fault, []).append(f"{width} {scheme}")
        window.picture(str(shots / f"{shown.name}-{width}-{scheme}.png"))
    told = [f"{fault}  [{', '.join(where)}]" for fault, where in found.items()]
    return [*told, *window.complaints]


def beside(window: Window) -> list[str]:
    """What is to be seen only by scrolling sideways."""
    over = window.sideways()
    return [f"{over} px are beside the window: {', '.join(window.widest())}"] if over > 0 else []


@pytest.mark.parametrize("shown", PAGES, ids=str)
def test_page(shown: Shown, watched: Window, shots: Path) -> None:
    """A page is accessible, fits every window, and makes the browser complain of nothing."""
    assert watched.open(shown.path) == shown.code
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
