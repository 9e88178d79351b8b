"""``make screenshots``: pictures for the README of a site that holds what this project depends on."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.support.browser import Window, chromium
from tests.support.service import Service
from tests.support.site import Site

PORT = 8080
"""Where the README says that the index answers; it has to be free."""

SIZE = {"width": 1280, "height": 760}
PICTURES = {"search": "/search/?q=http", "project": "/project/packaging/"}


def main(folder: Path) -> None:
    """Write the pictures into a folder."""
    with tempfile.TemporaryDirectory() as workplace:
        service = Service(Path(workplace), port=PORT)
        try:
            site = Site(service.start())
            service.add_user("ada")
            site.stock()
            if site.why_not_real:
                sys.exit(f"There is nothing to show: {site.why_not_real}")
            _take(site, folder)
        finally:
            service.end()


def _take(site: Site, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        window = Window.of(browser.new_context(viewport=SIZE), site.url)  # type: ignore[arg-type]
        for name, path in PICTURES.items():
            window.open(path)
            window.page.screenshot(path=folder / f"{name}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
