"""What people with an account come for, from the first page to the last, in every way to use a browser."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, StorageState, expect
from pyotp import TOTP

from tests.browser.hands import WAYS, Hand, Way
from tests.browser.members import Member
from tests.browser.people import OTTO
from tests.support.archives import wheel, wheel_filename
from tests.support.browser import Window, refuse
from tests.support.service import PASSWORD, environment, run
from tests.support.site import Site

Open = Callable[..., Window]

LONG_AGO = """
    UPDATE sessions SET second_factor = now() - interval '1 hour'
     WHERE user_id = (SELECT id FROM users WHERE name = %s)"""

SOME = [way for way in WAYS if way.name in ("mouse", "keyboard", "without-scripts")]

pytestmark = pytest.mark.parametrize("way", SOME, ids=str)


def slug(way: Way) -> str:
    """A way as part of a name, which is spelled alike everywhere."""
    return way.name.replace("-", "")


def done(page: Page) -> Locator:
    """What a page says was done just now."""
    return page.locator("#main .notice[role=status]")


def at(way: Way, window: Open, **more: object) -> tuple[Page, Hand]:
    """Somebody with a new browser."""
    opened = window(**way.settings, **more)
    return opened.page, way.hand(opened)


def chosen(site: Site, folder: Path, requirement: str) -> str | None:
    """The version that pip would install now; ``None`` where there is none."""
    report = folder / "report.json"
    done = run(
        [
            *(sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--ignore-installed"),
            *("--disable-pip-version-check", "--no-cache-dir", "--quiet", "--report", report),
            *("--index-url", f"{site.url}/simple/", requirement),
        ],
        cwd=folder,
        environment=environment(folder),
        status=None,
    )
    if done.returncode:
        assert "No matching distribution" in done.stderr, done.stderr
        return None
    (one,) = json.loads(report.read_text())["install"]
    return str(one["metadata"]["version"])


def test_journey(way: Way, window: Open, site: Site, tmp_path: Path) -> None:
    """Somebody new registers, confirms the address, sets up an app, makes a token, publishes, and sees it."""
    name, project = f"new-{way}", f"journey{slug(way)}"
    newcomer = Member(site, name)
    page, hand = at(way, window)
    page.goto(f"{site.url}/account/")
    hand.follow(page.get_by_role("link", name="Make an account"))
    hand.write(page.get_by_label("User name"), name)
    hand.write(page.get_by_label("E-mail address"), newcomer.email)
    hand.write(page.get_by_label("Password", exact=True), PASSWORD)
    hand.follow(page.get_by_role("button", name="Make an account"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")
    page.goto(site.url + newcomer.link("register/confirm"))
    hand.write(page.get_by_label("Password", exact=True), PASSWORD)
    hand.follow(page.get_by_role("button", name="Make the account"))
    page.wait_for_url("**/account/?done=registered")
    hand.follow(page.get_by_role("link", name="Second factors", exact=True).first)
    hand.follow(page.get_by_role("link", name="Set up an app"))
    page.wait_for_url("**/account/factors/app/")
    hand.write(page.get_by_label("Your password"), PASSWORD)
    hand.follow(page.get_by_role("button", name="Show me the key"))
    expect(page.locator(".qr-frame svg")).to_be_visible()
    key = page.locator("#main .copyable code").first.inner_text()
    hand.write(page.get_by_label("Code"), TOTP(key.replace(" ", "").strip()).now())
    hand.follow(page.get_by_role("button", name="Use this app"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Your recovery codes")
    hand.follow(page.get_by_role("link", name="I have them"))
    hand.follow(page.get_by_role("link", name="Tokens", exact=True).first)
    hand.follow(page.locator("#main").get_by_role("link", name=re.compile("Make (a|your first) token")).first)
    hand.write(page.get_by_label("Name", exact=True), "laptop")
    if page.get_by_label("Your password").count():
        hand.write(page.get_by_label("Your password"), PASSWORD)
    hand.follow(page.get_by_role("button", name="Make the token"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Your new token")
    token = page.locator("#main .copyable code").first.inner_text().strip()
    assert token not in page.url
    _twine(site, tmp_path, project, token)
    page.goto(f"{site.url}/manage/")
    hand.follow(page.get_by_role("link", name=project, exact=True))
    hand.follow(page.get_by_role("link", name="See its page").first)
    expect(page.get_by_role("heading", level=1)).to_contain_text(project)
    refuse(hand.window.complaints)


def _twine(site: Site, folder: Path, project: str, token: str) -> None:
    """Publish as the page of the new token says."""
    file = folder / wheel_filename(project)
    file.write_bytes(wheel(project))
    run(
        [
            *(sys.executable, "-m", "twine", "upload", "--non-interactive", "--disable-progress-bar"),
            *(
                "--repository-url",
                f"{site.url}/legacy/",
                "--username",
                "__token__",
                "--password",
                token,
                file,
            ),
        ],
        cwd=folder,
        environment=environment(folder),
    )


def test_reset(way: Way, window: Open, site: Site) -> None:
    """Who has lost a password chooses another by a link that comes by mail, once, and signs in with it."""
    forgetful = Member(site, f"forgetful-{way}").join()
    page, hand = at(way, window)
    page.goto(f"{site.url}/account/sign-in/")
    hand.follow(page.get_by_role("link", name="Forgot your password?"))
    hand.write(page.get_by_label("E-mail address"), forgetful.email)
    hand.follow(page.get_by_role("button", name="Send me a link"))
    assert page.url == f"{site.url}/account/reset/sent/"
    link = forgetful.link("reset")
    page.goto(site.url + link)
    hand.write(page.get_by_label("New password"), "cheddar and crackers")
    hand.follow(page.get_by_role("button", name="Take this password"))
    page.wait_for_url("**/account/sign-in/**")
    forgetful.sign_in(page, hand, password="cheddar and crackers")
    expect(page.get_by_role("heading", level=1)).to_contain_text(forgetful.name)
    again = page.goto(site.url + link)
    assert again is not None
    assert again.status == 410
    refuse(hand.window.complaints)


def coded(member: Member, page: Page, hand: Hand) -> None:
    """Sign in with a password and a code, as far as that leads."""
    app = member.app()
    member.sign_in(page, hand, "/manage/")
    hand.write(page.get_by_label("Code"), app.now())
    hand.send()
    page.wait_for_url("**/account/confirm/**")
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")


def test_new_browser(way: Way, window: Open, site: Site) -> None:
    """A code in a new browser is confirmed by a link that is opened there; the page that waits goes on."""
    careful = Member(site, f"careful-{way}").join()
    page, hand = at(way, window)
    coded(careful, page, hand)
    opened = Window.of(page.context, site.url)
    tab = opened.page
    tab.goto(site.url + careful.link("confirm"))
    expect(tab.get_by_role("heading", level=1)).to_have_text("Are you signing in?")
    way.hand(opened).press(tab.get_by_role("button", name="Yes, sign me in"))
    tab.wait_for_url("**/manage/")
    page.bring_to_front()
    if way.settings.get("java_script_enabled", True):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    else:
        hand.press(page.get_by_role("link", name="Go on"))
    page.wait_for_url("**/manage/")
    refuse(hand.window.complaints)
    refuse(opened.complaints)


def test_relayed(way: Way, window: Open, site: Site) -> None:
    """Who gets the letter and is not signing in sees who is, says so, and nobody is let in."""
    victim = Member(site, f"victim-{way}").join()
    page, hand = at(way, window)
    coded(victim, page, hand)
    other, other_hand = at(way, window)
    other.goto(site.url + victim.link("confirm"))
    expect(other.get_by_role("heading", level=1)).to_have_text("Another browser is signing in")
    expect(other.get_by_role("button", name="Yes, sign me in")).to_have_count(0)
    other_hand.press(other.get_by_role("button", name="This is not me"))
    expect(other.get_by_role("heading", level=1)).to_have_text("Nobody was let in")
    hand.press(page.get_by_role("link", name="Go on"))
    page.wait_for_url("**/account/sign-in/**")
    other_hand.press(other.get_by_role("link", name="Choose another password"))
    other.wait_for_url("**/account/reset/")
    refuse(hand.window.complaints)
    refuse(other_hand.window.complaints)


def test_yank(way: Way, window: Open, site: Site, tmp_path: Path) -> None:
    """A release that its owner yanks is left out by pip from then on, and the reason is on its page."""
    name = f"yanked{slug(way)}"
    owner = Member(site, f"owner-{way}").join()
    owner.publish(name, "1.0", "2.0")
    assert chosen(site, tmp_path, name) == "2.0"
    page, hand = at(way, window)
    owner.sign_in(page, hand, "/manage/")
    hand.follow(page.get_by_role("link", name=name, exact=True))
    hand.follow(page.get_by_role("link", name="2.0", exact=True))
    hand.write(page.get_by_label("Reason"), "broken on Tuesdays")
    hand.follow(page.get_by_role("button", name="Yank 2.0"))
    expect(done(page)).to_be_visible()
    assert chosen(site, tmp_path, name) == "1.0"
    hand.follow(page.get_by_role("link", name="See its page").last)
    expect(page.locator("#main")).to_contain_text("broken on Tuesdays")
    refuse(hand.window.complaints)


def test_rename(way: Way, window: Open, site: Site, tmp_path: Path) -> None:
    """A project gets another name; links to the old one lead there, and the old line for pip works."""
    old, new = f"older{slug(way)}", f"newer{slug(way)}"
    owner = Member(site, f"renamer-{way}").join()
    owner.publish(old, "1.0")
    page, hand = at(way, window)
    owner.sign_in(page, hand, f"/manage/{old}/settings/")
    hand.follow(page.get_by_role("link", name="Rename…"))
    hand.write(page.get_by_label(re.compile("New name|Name", re.IGNORECASE)).first, new)
    hand.write(page.get_by_label(re.compile("Confirm|type", re.IGNORECASE)).last, old)
    hand.follow(page.get_by_role("button", name="Rename this project"))
    expect(page.get_by_role("heading", level=1)).to_contain_text(new)
    assert chosen(site, tmp_path, f"{old}==1.0") == "1.0"
    page.goto(f"{site.url}/project/{old}/")
    assert page.url == f"{site.url}/project/{new}/"
    refuse(hand.window.complaints)


def test_invite(way: Way, window: Open, site: Site) -> None:
    """Somebody is invited to maintain a project, accepts, and sees it among their own, until taken out."""
    name = f"shared{slug(way)}"
    owner, friend = Member(site, f"host-{way}").join(), Member(site, f"guest-{way}").join()
    owner.publish(name, "1.0")
    page, hand = at(way, window)
    owner.sign_in(page, hand, f"/manage/{name}/people/")
    hand.write(page.get_by_label("User name"), friend.name)
    hand.choose(page.get_by_role("combobox", name="Role", exact=True), "Maintainer")
    hand.follow(page.get_by_role("button", name="Invite", exact=True))
    expect(done(page)).to_be_visible()
    other, other_hand = at(way, window)
    friend.sign_in(other, other_hand, "/manage/")
    other_hand.follow(other.get_by_role("button", name=f"Accept {name}"))
    expect(other.get_by_role("link", name=name, exact=True)).to_be_visible()
    page.reload()
    hand.follow(page.get_by_role("link", name=f"Remove… {friend.name}"))
    hand.follow(page.locator("#main").get_by_role("button", name=re.compile("^Remove")))
    expect(done(page)).to_be_visible()
    assert other.goto(f"{site.url}/manage/{name}/releases/").status == 404  # type: ignore[union-attr]
    refuse(hand.window.complaints)


def test_quarantine(
    way: Way, window: Open, site: Site, states: Mapping[str, StorageState], tmp_path: Path
) -> None:
    """Who runs the index puts a release into quarantine: nobody gets it, until the quarantine is ended."""
    name = f"odd{slug(way)}"
    Member(site, f"odd-owner-{way}").join().publish(name, "1.0", "6.6")
    assert chosen(site, tmp_path, name) == "6.6"
    page, hand = at(way, window, storage_state=states[OTTO])
    page.goto(f"{site.url}/admin/")
    hand.follow(page.locator("#main").get_by_role("link", name="Projects", exact=True))
    hand.write(page.get_by_role("searchbox", name="Part of a name"), name)
    hand.send()
    hand.follow(page.get_by_role("link", name=name, exact=True))
    hand.write(page.get_by_label("Reason for the quarantine of 6.6"), "looks odd")
    hand.follow(page.get_by_role("button", name="Quarantine 6.6"))
    expect(done(page)).to_contain_text("in quarantine")
    assert chosen(site, tmp_path, name) == "1.0"
    hand.follow(page.get_by_role("button", name="End the quarantine of 6.6"))
    expect(done(page)).to_contain_text("over")
    assert chosen(site, tmp_path, name) == "6.6"
    refuse(hand.window.complaints)


def test_second_factor_once_more(way: Way, window: Open, site: Site) -> None:
    """Who runs the index and has not shown a second factor of late does so before anybody is disabled."""
    boss, other = Member(site, f"boss-{way}").join(), Member(site, f"lapsed-{way}").join()
    ask = site.service.sql
    ask("UPDATE users SET is_admin = true WHERE name = %s", boss.name)
    page, hand = at(way, window)
    boss.sign_in(page, hand)
    app = boss.app()
    ask(LONG_AGO, boss.name)
    path = f"/admin/users/{other.name}/"
    again = page.locator("#main").get_by_role("link", name="Show your second factor")
    for _ in range(100):  # of sessions there are copies, for a second
        page.goto(site.url + path)
        if again.count():
            break
    hand.follow(again)
    hand.write(page.get_by_label("Code"), app.now())
    hand.follow(page.get_by_role("button", name="Go on"))
    form = page.locator("form[action$='/disable/']")
    hand.write(form.get_by_label("Type the user name to confirm"), other.name)
    hand.follow(form.get_by_role("button", name="Disable"))
    expect(done(page)).to_contain_text("is disabled")
    refuse(hand.window.complaints)
