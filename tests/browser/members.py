"""Somebody with an account in front of a browser: what they publish, their mail, how they sign in."""

from __future__ import annotations

import re
import time
from base64 import b32encode, b64encode
from email import message_from_bytes, policy
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from secrets import token_bytes
from urllib.parse import urlsplit

from argon2 import PasswordHasher
from attrs import frozen
from playwright.sync_api import Page
from pyotp import TOTP

from tests.browser.hands import Hand
from tests.support.archives import wheel, wheel_filename
from tests.support.forms import CONTENT_TYPE, multipart, upload_parts
from tests.support.service import PASSWORD
from tests.support.site import Site

PATIENCE = 60.0
"""Seconds until a letter is there."""

ACCOUNT = "INSERT INTO users (name, password_hash, created) VALUES (%s, %s, now()) RETURNING id"

ADDRESS = """
    INSERT INTO emails (user_id, address, is_primary, verified, created)
    VALUES (%s, %s, true, now(), now())"""

NO_APP = "DELETE FROM totp WHERE user_id = (SELECT id FROM users WHERE name = %s)"

APP = "INSERT INTO totp (secret, confirmed, user_id) SELECT %s, now(), id FROM users WHERE name = %s"


@cache
def hashed() -> str:
    """``PASSWORD``, as accounts keep it."""
    return PasswordHasher().hash(PASSWORD)


@frozen
class Member:
    """Somebody who has an account, or wants one."""

    site: Site
    name: str

    @property
    def email(self) -> str:
        """Where mail goes to."""
        return f"{self.name}@example.com"

    def join(self) -> Member:
        """Have an account, with ``PASSWORD``, and an address that is proven."""
        ask = self.site.service.sql
        ((number,),) = ask(ACCOUNT, self.name, hashed())
        ask(ADDRESS, number, self.email)
        return self

    def publish(self, project: str, *versions: str) -> None:
        """Upload a wheel of each version, as tools do, with name and password."""
        for version in versions:
            data, filename = wheel(project, version), wheel_filename(project, version)
            connection = HTTPConnection(urlsplit(self.site.url).netloc, timeout=PATIENCE)
            authorization = "Basic " + b64encode(f"{self.name}:{PASSWORD}".encode()).decode()
            headers = {"Content-Type": CONTENT_TYPE, "Authorization": authorization}
            connection.request("POST", "/legacy/", multipart(upload_parts(data, filename, {})), headers)
            answer = connection.getresponse()
            assert answer.status == 200, answer.reason
            connection.close()

    def app(self) -> TOTP:
        """Have an authenticator app, in the place of any other."""
        secret = token_bytes(20)
        self.site.service.sql(NO_APP, self.name)
        self.site.service.sql(APP, secret, self.name)
        return TOTP(b32encode(secret).decode())

    def sign_in(self, page: Page, hand: Hand, path: str = "/account/", password: str = PASSWORD) -> None:
        """Open a page that is for who is signed in, and sign in first."""
        page.goto(f"{self.site.url}{path}")
        hand.write(page.get_by_label("User name"), self.name)
        hand.write(page.get_by_label("Password", exact=True), password)
        hand.send()
        page.wait_for_url(lambda url: "/account/sign-in/" not in url)

    def link(self, kind: str) -> str:
        """The address in the newest letter that leads to a page below ``/account/<kind>/``."""
        pattern = re.compile(rf"{re.escape(self.site.url)}(/account/{kind}/[A-Za-z0-9_/-]{{20,}})")
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            for text in self._letters():
                if found := pattern.search(text):
                    return found[1]
            time.sleep(0.1)
        raise AssertionError(f"{self.email} got no letter that leads to {kind}")

    def _letters(self) -> list[str]:
        folder: Path = self.site.service.data / "mail"
        files = sorted(folder.glob("*.eml"), key=lambda file: -int(file.stem))
        letters = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
        return [
            str(one.get_body(("plain",)).get_content()) for one in letters if self.email in str(one["To"])
        ]
