"""Private folders, places for sockets, and logs that stay small."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pypi.embedded import processes
from pypi.embedded.folders import LONGEST_SOCKET_PATH, discard_socket_folder, private_folder, socket_folder


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """The folder of a server, too deep for a socket."""
    home = tmp_path / ("deep" * 30)
    home.mkdir()
    yield home
    discard_socket_folder(home)


def place_of(home: Path) -> Path:
    return socket_folder(home, "a.sock", owner=os.geteuid())


def test_folder_open_to_others_is_closed(tmp_path: Path) -> None:
    """A folder that others could read is ours alone afterwards."""
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    assert private_folder(folder).stat().st_mode & 0o777 == 0o700


def test_short_folder_holds_its_own_sockets(tmp_path: Path) -> None:
    """Where the path is short enough, nothing lies outside the data folder."""
    assert len(str(tmp_path)) < LONGEST_SOCKET_PATH - 20
    assert place_of(tmp_path) == tmp_path / "run"


def test_deep_folder_keeps_its_short_place(deep: Path) -> None:
    """Every process finds the same place, and finds it again after it was swept away."""
    place = place_of(deep)
    assert len(str(place / "a.sock")) <= LONGEST_SOCKET_PATH
    assert place_of(deep) == place
    place.rmdir()
    assert place_of(deep) == place
    assert place.stat().st_mode & 0o777 == 0o700


def test_place_that_others_may_enter_is_not_used(deep: Path) -> None:
    """A short place is used only while it is private."""
    place = place_of(deep)
    place.chmod(0o755)
    assert place_of(deep) != place
    place.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root can give a folder away.")
def test_place_of_another_user_is_not_used(deep: Path) -> None:
    """Whoever takes the name of a swept place gets no connection of ours."""
    place = place_of(deep)
    os.chown(place, 65534, 65534)
    assert place_of(deep) != place
    place.rmdir()


def test_copied_data_folder_gets_a_place_of_its_own(deep: Path, tmp_path: Path) -> None:
    """A copy does not take the sockets of the original from under it."""
    place = place_of(deep)
    copy = tmp_path / ("copy" * 30)
    shutil.copytree(deep, copy, symlinks=True)
    assert place_of(copy) != place
    assert place_of(deep) == place
    discard_socket_folder(copy)


def test_folder_that_moved_to_a_short_path_holds_its_sockets_again(deep: Path, tmp_path: Path) -> None:
    """The link to the short place is given up where it is not needed any more."""
    place = place_of(deep)
    short = deep.rename(tmp_path / "short")
    assert place_of(short) == short / "run"
    assert not (short / "run").is_symlink()
    place.rmdir()


def test_log_is_bounded_while_its_server_appends(tmp_path: Path) -> None:
    """A long log is kept once and begun anew, and what is appended later is in the new one."""
    log = tmp_path / "server.log"
    with log.open("ab", buffering=0) as server:
        server.write(b"x" * processes.LOG_LIMIT)
        processes.bound_log(log)
        assert log.stat().st_size == processes.LOG_LIMIT
        server.write(b"x")
        processes.bound_log(log)
        server.write(b"new\n")
    assert log.read_bytes() == b"new\n"
    assert (tmp_path / "server.log.1").stat().st_size == processes.LOG_LIMIT + 1


def test_last_words_of_a_log_are_its_last_lines(tmp_path: Path) -> None:
    """The end of a log fits an error message, whatever bytes are in it."""
    log = tmp_path / "server.log"
    assert processes.last_words(log) == ""
    log.write_bytes(b"old\n" * 5000 + b"one\n\xff two\n\nthree\n")
    assert processes.last_words(log) == "\ufffd two / three"
