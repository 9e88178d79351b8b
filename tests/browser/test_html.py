"""Every page is valid HTML, as a checker of conformance sees it."""

from __future__ import annotations

from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.browser.pages import PAGES
from tests.support import html
from tests.support.browser import refuse
from tests.support.site import Site

pytestmark = pytest.mark.timeout(200)


def fetched(site: Site, path: str) -> bytes:
    """A page, as it is sent to somebody who reads HTML."""
    connection = HTTPConnection(urlsplit(site.url).netloc, timeout=10)
    try:
        connection.request("GET", path, headers={"Accept": "text/html"})
        return connection.getresponse().read()
    finally:
        connection.close()


def test_pages_are_valid(site: Site, tmp_path: Path) -> None:
    """No page has an error, nor anything the checker warns of."""
    written = []
    for shown in PAGES:
        path = tmp_path / f"{shown.name}.html"
        path.write_bytes(fetched(site, shown.path))
        written.append(path)
    refuse(html.complaints(written))
