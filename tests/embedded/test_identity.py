"""Who the servers run as: root, an ordinary user, a user without a name, an account chosen by root."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from twisted.internet import reactor

from pypi.embedded import EmbeddedServerFailed, Postgres
from tests.embedded.conftest import NOBODY, UNNAMED, Spawn, ask, end_servers, python_for, server_pids

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="Only root can try what happens to other users.")


@pytest.fixture
def open_data() -> Iterator[Path]:
    """A data folder that every user of the machine may use."""
    place = Path(tempfile.mkdtemp(dir="/tmp"))
    place.chmod(0o777)
    yield place / "data"
    end_servers(place / "data")
    shutil.rmtree(place)


def uids(pids: list[int]) -> set[int]:
    return {os.stat(f"/proc/{pid}").st_uid for pid in pids}


@as_root
@pytest.mark.parametrize("uid", [NOBODY, UNNAMED])
def test_servers_of_an_ordinary_user_run_as_that_user(open_data: Path, spawn: Spawn, uid: int) -> None:
    """Also a user whom the machine has no name for, as in many containers, gets working servers."""
    user = spawn(open_data, python=python_for(uid), uid=uid)
    said = user.said()
    assert "refused" not in said, said
    assert uids(server_pids(open_data)) == {uid}
    assert ask(said["database"], "SELECT 1") == 1
    user.leave()
    assert server_pids(open_data) == []


@as_root
def test_another_user_is_told_whose_the_folder_is(open_data: Path, spawn: Spawn) -> None:
    """A data folder of somebody else is refused with both users and what to do."""
    (open_data / "postgres").mkdir(parents=True)
    (open_data / "redis").mkdir(parents=True)
    said = spawn(open_data, python=python_for(NOBODY), uid=NOBODY).said()
    assert f"belongs to uid 0, and this process runs as uid {NOBODY}: run it as that user" in said["refused"]


@as_root
async def test_root_keeps_out_of_the_folder_of_another_user(open_data: Path) -> None:
    """Root would leave files there that their owner could not use any more."""
    os.makedirs(open_data / "postgres")
    os.chown(open_data / "postgres", NOBODY, NOBODY)
    with pytest.raises(
        EmbeddedServerFailed, match=f"belongs to uid {NOBODY}, and this process runs as uid 0"
    ):
        await Postgres(open_data / "postgres", reactor).start()


@as_root
async def test_root_without_namespaces_gives_the_cluster_to_an_account(
    open_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the kernel allows no user namespace, an unprivileged account runs PostgreSQL, now and later."""
    async with Postgres(open_data / "postgres", reactor) as url:
        ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    with monkeypatch.context() as patched:
        forbid_namespaces(patched)
        async with Postgres(open_data / "postgres", reactor) as url:
            assert 0 not in uids(server_pids(open_data))
            assert ask(url, "SELECT answer FROM kept") == 42
    async with Postgres(open_data / "postgres", reactor) as url:
        assert 0 not in uids(server_pids(open_data))
        assert ask(url, "SELECT answer FROM kept") == 42


@as_root
async def test_first_start_as_an_account(open_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cluster is made by the account that will run it, in a folder nobody else may read."""
    forbid_namespaces(monkeypatch)
    async with Postgres(open_data / "postgres", reactor) as url:
        assert ask(url, "SELECT 1") == 1
        assert os.stat(open_data / "postgres" / "cluster").st_mode & 0o777 == 0o700
    assert os.stat(open_data / "postgres").st_mode & 0o777 == 0o711


@as_root
async def test_root_is_told_when_neither_way_works(new_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without namespaces, under folders that no account may enter, one sentence says what to do."""
    forbid_namespaces(monkeypatch)
    os.mkdir(new_data, mode=0o700)
    with pytest.raises(
        EmbeddedServerFailed, match=r"start Cheeseshop as an ordinary user, or set database\.url"
    ):
        await Postgres(new_data / "postgres", reactor).start()
    assert server_pids(new_data) == []


def forbid_namespaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the program that enters a namespace fail."""
    monkeypatch.setattr("pypi.embedded.identity.sys", SimpleNamespace(executable="/bin/false"))
