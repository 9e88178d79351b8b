"""Every page is valid HTML, as a checker of conformance sees it."""

from __future__ import annotations

from collections.abc import Mapping
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from playwright.sync_api import StorageState

from tests.browser.pages import PAGES, Shown
from tests.support import html
from tests.support.browser import PATIENCE, refuse
from tests.support.site import Site
from tests.support.visitor import NONE, Fields, forms_of

FORM = "application/x-www-form-urlencoded"


def fetched(site: Site, shown: Shown, state: StorageState | None) -> bytes:
    """A page, as it is sent to somebody who reads HTML; or the answer to a form on it.

    Args:
        state: of the browser of somebody who is signed in.
    """
    cookies = {one["name"]: one["value"] for one in (state or {}).get("cookies", [])}
    connection = HTTPConnection(urlsplit(site.url).netloc, timeout=PATIENCE)
    try:
        page = asked(connection, "GET", shown.path, cookies)
        if not shown.sends:
            return page
        fields = forms_of(page.decode(), shown.path)[shown.sends] | dict(shown.fills)
        return asked(connection, "POST", shown.sends, cookies, fields)
    finally:
        connection.close()


def asked(
    connection: HTTPConnection, method: str, path: str, cookies: dict[str, str], fields: Fields = NONE
) -> bytes:
    """Ask as a browser does, keep the cookies that come back, and go where one is led."""
    headers = {"Accept": "text/html", "Cookie": "; ".join(f"{key}={one}" for key, one in cookies.items())}
    if method == "POST":
        headers |= {"Content-Type": FORM, "Origin": f"http://{connection.host}:{connection.port}"}
    connection.request(method, path, urlencode(fields), headers)
    answer = connection.getresponse()
    if method == "GET" and (elsewhere := answer.headers["Location"]):
        answer.read()
        return asked(connection, "GET", elsewhere, cookies)
    for cookie in answer.headers.get_all("Set-Cookie", []):
        key, _, value = cookie.partition(";")[0].partition("=")
        cookies[key] = value
    return answer.read()


def test_pages_are_valid(site: Site, states: Mapping[str, StorageState], tmp_path: Path) -> None:
    """No page has an error, nor anything the checker warns of."""
    written = []
    for shown in PAGES:
        path = tmp_path / f"{shown.name}.html"
        path.write_bytes(fetched(site, shown, states.get(shown.by)))
        written.append(path)
    refuse(html.complaints(written))
