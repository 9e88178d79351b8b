"""One browser and one site for all tests of this folder; both are gone when its last test has run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Browser, StorageState

from tests.browser import holdings, people
from tests.browser.projects import RELEASES, STATUSES, YANKED
from tests.support.browser import Window, chromium
from tests.support.hostile import hostile_projects
from tests.support.rig import wait_for
from tests.support.service import Service
from tests.support.site import Site

SETTINGS = {"LIMITS_FACTOR": "0", "ACCESS_REGISTRATION": "on"}

LEFT = "SELECT count(*) FROM descriptions WHERE renderer = ''"
"""Descriptions that are still to be rendered, which a service does soon after it was started."""


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A running Chromium."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="package")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A running site with the projects of ``tests.browser.projects``, and real ones where they can be had."""
    service = Service(tmp_path_factory.mktemp("site"), SETTINGS)
    try:
        yield stocked(Site(service.start()))
        service.stop()
    finally:
        service.end()


def stocked(site: Site) -> Site:
    """The site, with all its projects; what no page shows otherwise is done behind its back."""
    ask = site.service.sql
    people.arrive(site.service)
    ask("INSERT INTO users (name, created) VALUES ('grace', now())")
    site.stock(write)
    if ask(LEFT) != [(0,)]:  # the machine was too busy for some of them
        site.service.stop()
        site.service.start()
        assert wait_for(lambda: ask(LEFT) == [(0,)])
    for project, status, reason in STATUSES:
        change = "UPDATE projects SET status = %s, status_reason = %s WHERE normalized = %s"
        ask(change, status, reason, project)
    (project, version, reason), *others = YANKED
    site.service.cheeseshop("yank", project, version, "--reason", reason)
    for project, version, reason in others:
        change = (
            "UPDATE releases SET yanked = now(), yanked_reason = %s WHERE version = %s"
            " AND project_id = (SELECT id FROM projects WHERE normalized = %s)"
        )
        ask(change, reason, version, project)
    holdings.give(site.service)
    return site


def write(folder: Path) -> None:
    """Put all projects made by hand into a folder."""
    for release in RELEASES:
        release.write(folder)
    for hostile in hostile_projects():
        (folder / hostile.filename).write_bytes(hostile.data)


@pytest.fixture(scope="package")
def states(browser: Browser, site: Site) -> Mapping[str, StorageState]:
    """What the browser of each of the people keeps who are signed in."""
    signed_in = {name: people.sign_in(browser, site, name) for name in people.ALL}
    holdings.protect(site.service)
    return signed_in


@pytest.fixture
def window(browser: Browser, site: Site) -> Iterator[Callable[..., Window]]:
    """Makes windows, each with the settings of a new browser: ``window(java_script_enabled=False)``."""
    contexts = []

    def make(*, measured: bool = False, **settings: object) -> Window:
        context = browser.new_context(**settings)  # type: ignore[arg-type]
        contexts.append(context)
        return Window.of(context, site.url, measured=measured)

    yield make
    for context in contexts:
        context.close()


@pytest.fixture(scope="package")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of every page go: ``SCREENSHOTS``, or the folder of this run."""
    wanted = os.environ.get("SCREENSHOTS")
    folder = Path(wanted).absolute() if wanted else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
