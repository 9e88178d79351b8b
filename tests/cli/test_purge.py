"""``cheeseshop purge`` and ``cheeseshop config vcl``."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from caching.varnish import vcl
from tests.support.fastly import SERVICE, TOKEN, FastlyServer
from tests.support.service import Service


@pytest.fixture
def api() -> Iterator[FastlyServer]:
    """Fastly's API."""
    server = FastlyServer().start()
    yield server
    server.stop()
    assert server.wrong == []


def edge(api: FastlyServer) -> dict[str, str]:
    """The configuration of an index behind Fastly."""
    return {
        "CHEESESHOP_EDGE_PURGER": "fastly",
        "CHEESESHOP_EDGE_SERVICE": SERVICE,
        "CHEESESHOP_EDGE_TOKEN": TOKEN,
        "CHEESESHOP_EDGE_API": api.url,
    }


def test_waits_until_it_is_done(stopped_service: Service, api: FastlyServer) -> None:
    """With --wait the command ends when the edge has acknowledged twice, also where no service runs."""
    done = stopped_service.cheeseshop(
        "purge", "all-projects", "--project", "Some.Thing", "--hard", "--wait", "--json", **edge(api)
    )
    value = json.loads(done.stdout)
    assert isinstance(value.pop("errand"), int)
    tags = ["all-projects", "project/some-thing", "files/some-thing"]
    assert value == {"tags": tags, "everything": False, "done": True}
    assert (api.purged, api.hard) == ([tags] * 2, tags * 2)


def test_asks_and_ends(stopped_service: Service, api: FastlyServer) -> None:
    """Without --wait it asks, and whoever runs next does it; a purge of everything is one call."""
    done = stopped_service.cheeseshop("purge", "--all", **edge(api))
    assert done.stdout == "To be purged: everything.\n"
    api.purged.clear()
    stopped_service.cheeseshop("purge", "x", "--wait", **edge(api))
    assert api.purged.count(["x"]) == 2
    assert api.purged.count(None) <= 1


@pytest.mark.parametrize("arguments", [[], ["x", "--all"], ["--project", "x", "--all"]])
def test_what_to_purge(new_service: Service, api: FastlyServer, arguments: list[str]) -> None:
    """Either tags and projects, or everything."""
    done = new_service.cheeseshop("purge", *arguments, status=2, **edge(api))
    assert "Name tags or projects, or say --all." in done.stderr


def test_no_edge(new_service: Service) -> None:
    """Where nothing stands before the index there is nothing to be purged."""
    done = new_service.cheeseshop("purge", "x", status=2)
    assert done.stderr == "cheeseshop: There is no edge to be purged: edge.purger is off.\n"


def test_vcl(new_service: Service) -> None:
    """The VCL for a Varnish is printed as it was installed."""
    assert new_service.cheeseshop("config", "vcl").stdout == vcl()
