"""One running service for all clients, a workplace for each test, and projects to install."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.clients import distributions
from tests.clients.desk import Desk
from tests.support import interpreters
from tests.support.interpreters import Pip
from tests.support.service import Service


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running service; tests do not disturb each other, since each has projects of its own."""
    running = Service(tmp_path_factory.mktemp("service"))
    try:
        yield running.start()
        running.stop()
    finally:
        running.end()


@pytest.fixture
def desk(service: Service, tmp_path: Path) -> Desk:
    """A publisher's or user's workplace."""
    return Desk(service, tmp_path)


@pytest.fixture(scope="session")
def current_pip() -> Pip:
    """The newest pip that can be had for the Python that runs the tests."""
    return interpreters.current_pip()


@pytest.fixture(scope="session")
def published(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Where these were published: projects that the tests of installers only read.

    ``plain-wheel`` 1.0, 1.1 and, for no Python of today, 2.0; ``classic-sdist`` 1.0, ``modern-sdist`` 1.0;
    ``both-kinds`` 1.0 as a wheel and a source distribution; ``Mixed.Case_Name`` 1.0; ``taken-back`` 1.0, 1.1
    and, yanked, 1.2; ``large-wheel`` 1.0 of half a megabyte.
    """
    desk = Desk(service, tmp_path_factory.mktemp("published"))
    dist = desk.dist
    distributions.wheel(dist, "plain-wheel", "1.0")
    distributions.wheel(dist, "plain-wheel", "1.1")
    distributions.wheel(dist, "plain-wheel", "2.0", requires_python=">=3.99")
    distributions.classic_sdist(dist, "classic-sdist")
    distributions.modern_sdist(dist, "modern-sdist")
    distributions.wheel(dist, "both-kinds")
    distributions.modern_sdist(dist, "both-kinds")
    distributions.wheel(dist, "Mixed.Case_Name")
    for version in ("1.0", "1.1", "1.2"):
        distributions.wheel(dist, "taken-back", version)
    distributions.wheel(dist, "large-wheel", data=bytes_that_do_not_compress(1 << 19))
    desk.twine(*sorted(dist.iterdir()))
    service.sql(
        "UPDATE releases SET yanked = now(), yanked_reason = %s WHERE version = '1.2' AND project_id ="
        " (SELECT id FROM projects WHERE normalized = 'taken-back')",
        "it was no good",
    )
    return desk


def bytes_that_do_not_compress(length: int) -> bytes:
    """The same ones every time."""
    return Random(1).randbytes(length)
