"""The people of the site, and what their browsers keep once they are signed in."""

from __future__ import annotations

from playwright.sync_api import Browser, StorageState

from tests.support.service import PASSWORD, Service
from tests.support.site import Site

ADA, OTTO = "ada", "otto"
"""Who owns all projects, and who runs the index."""

IRIS = "iris"
"""Who has shown a password, and owes a second factor."""

VERA = "vera"
"""Who has shown all there is to show, with a new browser, and waits until a letter is answered."""

NEWCOMER = "somebody-with-a-name-as-long-as-names-may-be-here"
"""Who has nothing yet, but for invitations."""

ALL = (ADA, OTTO, IRIS, VERA, NEWCOMER)

FACTOR = """
    INSERT INTO totp (user_id, secret, confirmed, last_step)
    SELECT id, 'a secret of no use', now(), 0 FROM users WHERE name = %s"""

OWING = "UPDATE sessions SET is_partial = true WHERE user_id = (SELECT id FROM users WHERE name = %s)"

WAITING = """
    UPDATE sessions SET is_partial = true, is_waiting = true, second_factor = now()
     WHERE user_id = (SELECT id FROM users WHERE name = %s)"""

# However long a run takes, it was shown of late.
SHOWN = """
    UPDATE sessions SET second_factor = now() + interval '1 day'
     WHERE user_id = (SELECT id FROM users WHERE name = %s)"""

OWED = {OTTO: SHOWN, IRIS: OWING, VERA: WAITING}
"""What becomes of their sessions, who have an app."""


def arrive(service: Service) -> None:
    """Make their accounts."""
    for name in ALL:
        service.add_user(name)
    service.sql("UPDATE users SET is_admin = true WHERE name = %s", OTTO)


def sign_in(browser: Browser, site: Site, name: str) -> StorageState:
    """Sign somebody in by the form; what becomes of those with an app, ``OWED`` says."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{site.url}/account/sign-in/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/account/")
    state = context.storage_state()
    context.close()
    if (owed := OWED.get(name)) is not None:
        site.service.sql(FACTOR, name)
        site.service.sql(owed, name)
    return state
