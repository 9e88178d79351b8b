"""Fixtures every test may use; those of one room live beside its tests."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest
import pytest_twisted
from hypothesis import HealthCheck, settings
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from pypi.embedded import Servers, Urls
from tests.support.databases import Databases

pytest_plugins = ["tests.support.bounds", "tests.support.shares"]

# How long an example takes says more about what else the machine does.
settings.register_profile("patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run every ``async def test_…`` on the Twisted reactor, without a decorator on each."""
    for item in items:
        function = getattr(item, "function", None)
        if inspect.iscoroutinefunction(function):
            pytest_twisted.ensureDeferred(function)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Urls]:
    """PostgreSQL and Redis for the whole run, as the service itself would start them."""
    embedded = Servers(tmp_path_factory.mktemp("servers"), reactor)
    yield pytest_twisted.blockon(Deferred.fromCoroutine(embedded.start()))
    pytest_twisted.blockon(Deferred.fromCoroutine(embedded.stop()))


@pytest.fixture(scope="session")
def databases(servers: Urls) -> Databases:
    """Makes new databases, empty or with the catalogue's schema."""
    return Databases(servers.database)


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """A new database with the catalogue's schema, dropped afterwards."""
    url = databases.make()
    yield url
    databases.drop(url)
