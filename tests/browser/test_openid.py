"""Signing in with a provider, in a real browser: its rules on forms, redirects and cookies are its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from attrs import define
from playwright.sync_api import Browser, expect

from tests.browser.hands import WAYS, Way
from tests.support.browser import Window, refuse
from tests.support.openid_provider import CLIENT, SECRET, OpenIdProvider, openid_provider
from tests.support.service import Service

ROUGH = [way for way in WAYS if str(way) in ("finger", "keyboard-without-scripts")]


@define(eq=False)
class Place:
    """A service, the provider it sends people to, and windows on it."""

    there: OpenIdProvider
    url: str
    open: Callable[..., Window]

    def window(self, **settings: object) -> Window:
        """A window of a new browser, which may go to the provider as well."""
        window = self.open(**settings)
        window.page.route(f"{self.there.base}/**", lambda route: route.continue_())
        return window


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[OpenIdProvider, str]]:
    """A service where one signs in with a provider that shows a page of its own."""
    with openid_provider(asks=True) as there:
        settings = {
            "OPENID_ISSUER": there.url,
            "OPENID_CLIENT_ID": CLIENT,
            "OPENID_CLIENT_SECRET": SECRET,
            "OPENID_NAME": "Staff",
            "OPENID_REGISTRATION": "on",
            "LIMITS_FACTOR": "0",
        }
        service = Service(tmp_path_factory.mktemp("service"), settings)
        try:
            yield there, service.start().url.rstrip("/")
            service.stop()
        finally:
            service.end()


@pytest.fixture
def place(browser: Browser, served: tuple[OpenIdProvider, str]) -> Iterator[Place]:
    """It, and windows that are closed in the end."""
    contexts = []
    there, url = served

    def make(**settings: object) -> Window:
        context = browser.new_context(**settings)  # type: ignore[arg-type]
        contexts.append(context)
        return Window.of(context, url)

    yield Place(there, url, make)
    for context in contexts:
        context.close()


@pytest.mark.parametrize("way", ROUGH, ids=str)
def test_there_and_back(way: Way, place: Place) -> None:
    """A button leads to the provider and back, to a name of one's own, and is all it takes the next time."""
    name = f"ada-{way}"
    place.there.person = {"sub": name, "preferred_username": name}
    window = place.window(**way.settings)
    page, hand = window.page, way.hand(window)
    window.open("/account/sign-in/?next=/account/openid/")
    hand.follow(page.get_by_role("button", name="Sign in with Staff"))
    page.get_by_role("link", name="Sign in as Ada").click()
    expect(page).to_have_url(f"{place.url}/account/openid/name/")
    expect(page.get_by_label("User name")).to_have_value(name)
    refuse(window.axe() if way.has_scripts else ())
    hand.follow(page.get_by_role("button", name="Make the account"))
    expect(page).to_have_url(f"{place.url}/account/openid/")
    expect(page.locator("#main")).to_contain_text(name)
    refuse(window.axe() if way.has_scripts else ())
    assert window.sideways() <= 0
    other = place.window(**way.settings)
    page, hand = other.page, way.hand(other)
    other.open("/account/sign-in/")
    hand.follow(page.get_by_role("button", name="Sign in with Staff"))
    page.get_by_role("link", name="Sign in as Ada").click()
    expect(page).to_have_url(f"{place.url}/account/")
    refuse(window.complaints + other.complaints)


def test_on_the_way(place: Place) -> None:
    """While the provider keeps one waiting, a page says where one is going; another one says what failed."""
    window = place.window()
    page = window.page
    page.route(f"{place.there.base}/authorize*", lambda route: route.fulfill(status=204))
    window.open("/account/sign-in/")
    page.get_by_role("button", name="Sign in with Staff").click()
    expect(page.get_by_role("heading", name="To Staff")).to_be_visible()
    refuse(window.axe())
    expect(page.get_by_role("link", name="Go on to Staff")).to_be_visible()
    assert window.open("/account/openid/callback?code=x&state=y") == 409
    refuse(window.axe())
    refuse(window.complaints)
