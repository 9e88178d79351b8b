"""What stands in the way of an embedded server is said in one sentence with a way out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from twisted.internet import reactor

from pypi.embedded import EmbeddedServerFailed, Postgres, Redis, cluster, wheels
from pypi.embedded.locks import Share, alone, handed_on
from tests.embedded.conftest import server_pids


@pytest.mark.parametrize(
    ("server", "key"), [(Postgres, "database.url"), (Redis, "redis.url")], ids=["postgres", "redis"]
)
async def test_missing_wheel_names_the_extra_and_the_key(
    new_data: Path, monkeypatch: pytest.MonkeyPatch, server: type[Postgres | Redis], key: str
) -> None:
    """Without the binaries, the operator learns what to install or what to configure."""
    monkeypatch.setattr(wheels, "find_spec", lambda name: None)
    with pytest.raises(EmbeddedServerFailed, match=rf"cheeseshop\[embedded\], or set {key} to a server"):
        await server(new_data, reactor).start()


async def test_cluster_of_another_major_version_is_left_alone(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No PostgreSQL is started on data it cannot read; the sentence says how to move on."""
    async with Postgres(data / "postgres", reactor):
        pass
    (data / "postgres" / "cluster" / "PG_VERSION").write_text("12\n")
    with pytest.raises(EmbeddedServerFailed, match=r"was made by PostgreSQL 12, .* restore the dump"):
        await Postgres(data / "postgres", reactor).start()
    assert server_pids(data) == []


def test_cluster_keeps_the_version_it_was_made_with(new_data: Path) -> None:
    """A newer PostgreSQL in the same wheel serves new clusters only."""
    oldest, *_ = versions = wheels.postgres_versions()
    assert cluster.programs_for(new_data) == versions[max(versions)]
    new_data.mkdir()
    (new_data / "PG_VERSION").write_text(f"{oldest}\n")
    assert cluster.programs_for(new_data) == versions[oldest]


async def test_folder_that_is_no_cluster_is_left_alone(new_data: Path) -> None:
    """Somebody's files in place of the cluster are neither used nor removed."""
    os.makedirs(new_data / "cluster")
    (new_data / "cluster" / "notes.txt").write_text("mine")
    with pytest.raises(EmbeddedServerFailed, match="is not a PostgreSQL cluster: move it away"):
        await Postgres(new_data, reactor).start()
    assert (new_data / "cluster" / "notes.txt").read_text() == "mine"


async def test_server_that_does_not_start_shows_the_end_of_its_log(data: Path) -> None:
    """The reason a server gives is part of the sentence, and no process is left."""
    async with Postgres(data / "postgres", reactor):
        pass
    with (data / "postgres" / "cluster" / "postgresql.conf").open("a") as file:
        file.write("work_mem = 'plenty'\n")
    with pytest.raises(EmbeddedServerFailed, match=r"PostgreSQL ended at once with status 1\..*work_mem"):
        await Postgres(data / "postgres", reactor).start()
    assert server_pids(data) == []


@pytest.mark.parametrize("server", [Postgres, Redis], ids=["postgres", "redis"])
async def test_data_folder_that_cannot_be_made(new_data: Path, server: type[Postgres | Redis]) -> None:
    """A file where a folder should be is a sentence, not a traceback."""
    os.mknod(new_data)
    with pytest.raises(EmbeddedServerFailed, match="cannot be used: Not a directory"):
        await server(new_data / "server", reactor).start()


@pytest.mark.parametrize("server", [Postgres, Redis], ids=["postgres", "redis"])
async def test_server_that_cannot_be_seen_from_here(data: Path, server: type[Postgres | Redis]) -> None:
    """A server in another container on the same data is never joined by a second one."""
    folder = data / "postgres"
    with (
        handed_on(folder / "server.lock", wait=0),
        pytest.raises(EmbeddedServerFailed, match="in another container: run this there"),
    ):
        await server(folder, reactor).start()
    assert server_pids(data) == []


def test_start_lock_held_by_another_is_waited_for_only_so_long(tmp_path: Path) -> None:
    """Two cannot start a server at once, and none waits for ever."""
    lock = tmp_path / "start.lock"
    with (
        alone(lock, wait=0),
        pytest.raises(EmbeddedServerFailed, match="still starting or stopping"),
        alone(lock, wait=0.05),
    ):
        pass
    with alone(lock, wait=0):
        pass


def test_share_is_the_last_one_only_while_no_other_is_held(tmp_path: Path) -> None:
    """Whoever leaves knows whether others still use the server."""
    one, other = Share(tmp_path / "users.lock"), Share(tmp_path / "users.lock")
    one.take()
    other.take()
    assert not one.is_last()
    one.release()
    assert other.is_last()
    assert not one.is_last()
