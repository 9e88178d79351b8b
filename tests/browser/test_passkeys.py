"""Passkeys in a real browser, kept by an authenticator that it pretends to have."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.hands import DESK, Hand
from tests.browser.members import Member
from tests.support.browser import Window, refuse
from tests.support.ports import free_port
from tests.support.service import PASSWORD, Service
from tests.support.site import Site

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
"""Somebody with a telephone who agrees to everything at once."""


REFUSING = """
    () => {
        navigator.credentials.get = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
    }
"""
"""Makes the person say no."""


@pytest.fixture(scope="module")
def named(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with a name: browsers offer no passkeys for an address."""
    port = free_port()
    origin = f"http://localhost:{port}"
    service = Service(
        tmp_path_factory.mktemp("named"), {"LIMITS_FACTOR": "0", "SERVICE_ORIGIN": origin}, port=port
    )
    try:
        service.start()
        yield Named(service, origin)
        service.stop()
    finally:
        service.end()


class Named(Site):
    """A site that is asked by its name."""

    def __init__(self, service: Service, origin: str) -> None:
        super().__init__(service)
        self.origin = origin

    @property
    def url(self) -> str:
        """Where it answers, without a slash at its end."""
        return self.origin


@pytest.fixture
def page(browser: Browser, named: Site) -> Iterator[Page]:
    """A page of a browser with an authenticator."""
    context = browser.new_context(**DESK)
    window = Window.of(context, named.url)
    session = context.new_cdp_session(window.page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    yield window.page
    refuse(window.complaints)
    context.close()


def added(named: Site, page: Page, name: str) -> Member:
    """Somebody who has just added a passkey to their account."""
    member = Member(named, name).join()
    hand = Hand(Window(page, named.url))
    member.sign_in(page, hand, "/account/factors/passkeys/new/")
    page.get_by_label("Name", exact=True).fill("telephone")
    if page.get_by_label("Your password").count():
        page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Make a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your recovery codes")
    page.get_by_role("link", name="I have them").click()
    expect(page.locator("#main")).to_contain_text("telephone")
    return member


def _sign_out(page: Page) -> None:
    page.locator(".visitor-menu__name").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url("**/account/sign-in/**")


def test_sign_in_by_passkey_alone(named: Site, page: Page) -> None:
    """A passkey signs in without a name or a password, and without a further factor."""
    member = added(named, page, "rosa")
    _sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/account/")
    expect(page.get_by_role("heading", level=1)).to_contain_text(member.name)


def test_passkey_behind_a_password(named: Site, page: Page) -> None:
    """Whoever signs in by a password shows the passkey then, and is nowhere before."""
    member = added(named, page, "hugo")
    _sign_out(page)
    page.goto(f"{named.url}/account/tokens/")
    page.get_by_label("User name").fill(member.name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/account/second-factor/**")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/account/tokens/")


def test_refused(named: Site, page: Page) -> None:
    """Where the person says no, nothing is sent, and the page says what to do."""
    added(named, page, "olga")
    _sign_out(page)
    page.evaluate(REFUSING)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator("[data-passkey-message]:visible")).to_be_visible()
    assert "/account/sign-in/" in page.url
