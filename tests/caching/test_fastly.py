"""Fastly's purger: what it calls, and that nothing but an acknowledgement counts as one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from attrs import evolve

from caching.client import Client
from caching.fastly import Fastly
from caching.purge import PurgeFailed
from tests.support.fastly import ODD, SERVICE, TOKEN, FastlyServer
from tests.support.index import reactor


@pytest.fixture
def api() -> Iterator[FastlyServer]:
    """The API, in a good mood."""
    server = FastlyServer().start()
    yield server
    server.stop()
    assert server.wrong == []


@pytest.fixture
def fastly(api: FastlyServer) -> Fastly:
    """The purger."""
    client = Client(reactor, connect_timeout=60.0, timeout=60.0)
    return Fastly(service=SERVICE, token=TOKEN, client=client, api=api.url, clock=lambda: 1_700_000_000.0)


@pytest.fixture
def hasty(fastly: Fastly) -> Fastly:
    """The same, as it is where nothing answers."""
    return evolve(fastly, client=Client(reactor, connect_timeout=60.0, timeout=1.0))


async def test_purge(api: FastlyServer, fastly: Fastly) -> None:
    """Tags are purged by one call, softly, each once."""
    await fastly.purge(["project/a", "project/b", "project/a", "all"])
    assert api.purged == [["project/a", "project/b", "all"]]
    assert api.hard == []


async def test_hard(api: FastlyServer, fastly: Fastly) -> None:
    """What must not be shown any more is purged without the header that makes a purge soft."""
    await fastly.purge(["project/a", "files/a"], hard=True)
    await fastly.purge(["project/b"])
    assert (api.hard, api.keys()) == (["project/a", "files/a"], ["project/a", "files/a", "project/b"])


async def test_many(api: FastlyServer, fastly: Fastly) -> None:
    """More keys than one call may have are purged by several, one after the other."""
    tags = [f"project/{number}" for number in range(600)]
    await fastly.purge(tags)
    assert [len(call or ()) for call in api.purged] == [256, 256, 88]
    assert (api.keys(), api.most) == (tags, 1)


async def test_long(api: FastlyServer, fastly: Fastly) -> None:
    """A call has no more than 16 KiB of keys, and no key is longer than the edge was told."""
    tags = [f"{'x' * 195}{number:05}" for number in range(200)]
    await fastly.purge([*tags, "y" * 5000, "two words", "käse"])
    assert [sum(map(len, call or ())) <= 16384 for call in api.purged] == [True] * len(api.purged)
    assert api.keys()[:200] == tags
    assert [key.startswith("hash/") for key in api.keys()[200:]] == [True] * 3


async def test_nothing(api: FastlyServer, fastly: Fastly) -> None:
    """Nothing to be purged is nothing to be called."""
    await fastly.purge([])
    assert api.calls == 0


async def test_everything(api: FastlyServer, fastly: Fastly) -> None:
    """Everything is purged by a call of its own."""
    await fastly.purge_all()
    assert api.purged == [None]


@pytest.mark.parametrize(
    "mood", [*ODD, "closes", "201", "302", "400", "401", "403", "404", "429", "500", "503"]
)
async def test_not_acknowledged(api: FastlyServer, fastly: Fastly, hasty: Fastly, mood: str) -> None:
    """Whatever is no acknowledgement is a failure, and the next try may succeed."""
    api.mood = mood
    with pytest.raises(PurgeFailed):
        await (hasty if mood == "stalls" else fastly).purge(["project/a"])
    if mood != "stalls":
        with pytest.raises(PurgeFailed):
            await fastly.purge_all()
    api.mood = "well"
    await fastly.purge(["project/a"])
    assert api.keys() == ["project/a"]


async def test_part_of_it(api: FastlyServer, fastly: Fastly) -> None:
    """An answer that speaks of some keys and not of others acknowledges too little."""
    api.mood = "200"
    api.more = {}
    with pytest.raises(PurgeFailed, match="without acknowledging"):
        await fastly.purge(["msg", "project/a"])
    await fastly.purge(["msg"])


@pytest.mark.parametrize("mood", ["hangs", "stalls"])
async def test_hangs(api: FastlyServer, hasty: Fastly, mood: str) -> None:
    """An API that says nothing, or not all, is waited for no longer than that is allowed to take."""
    api.mood = mood
    with pytest.raises(PurgeFailed, match="no answer within 1 s"):
        await hasty.purge(["project/a"])


async def test_refuses(api: FastlyServer, fastly: Fastly) -> None:
    """An API that is not there is a failure as well."""
    api.stop()
    with pytest.raises(PurgeFailed, match="refused"):
        await fastly.purge(["project/a"])


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("7", 7.0),
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30.0),
        ("Tue, 14 Nov 2000 22:13:50 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("", None),
    ],
)
async def test_asks_to_be_left_alone(
    api: FastlyServer, fastly: Fastly, given: str, seconds: float | None
) -> None:
    """When the API says for how long not to call, the failure says so."""
    api.mood, api.more = "429", {"Retry-After": given}
    with pytest.raises(PurgeFailed) as failure:
        await fastly.purge(["project/a"])
    assert failure.value.retry_after == seconds


def test_shown(fastly: Fastly) -> None:
    """What is logged of it names the service, and not the token."""
    shown = repr(evolve(fastly, api="https://api.example"))
    assert shown == f"Fastly(service='{SERVICE}', api='https://api.example')"
