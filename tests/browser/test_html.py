"""Every page is valid HTML, as a checker of conformance sees it."""

from __future__ import annotations

from collections.abc import Mapping
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import StorageState

from tests.browser.pages import PAGES
from tests.support import html
from tests.support.browser import refuse
from tests.support.site import Site

pytestmark = pytest.mark.timeout(200)


def fetched(site: Site, path: str, state: StorageState | None) -> bytes:
    """A page, as it is sent to somebody who reads HTML.

    Args:
        state: of the browser of somebody who is signed in.
    """
    cookies = [f"{one['name']}={one['value']}" for one in (state or {}).get("cookies", [])]
    headers = {"Accept": "text/html", "Cookie": "; ".join(cookies)}
    connection = HTTPConnection(urlsplit(site.url).netloc, timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().read()
    finally:
        connection.close()


def test_pages_are_valid(site: Site, states: Mapping[str, StorageState], tmp_path: Path) -> None:
    """No page has an error, nor anything the checker warns of."""
    written = []
    for shown in PAGES:
        path = tmp_path / f"{shown.name}.html"
        path.write_bytes(fetched(site, shown.path, states.get(shown.by)))
        written.append(path)
    refuse(html.complaints(written))
