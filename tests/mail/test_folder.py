"""The folder: each message is a file for its owner's eyes, and there are not too many."""

from __future__ import annotations

from pathlib import Path
from stat import S_IMODE
from typing import Any

import pytest
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred, gatherResults

from pypi.mail.folder import Folder
from pypi.mail.mailer import Message, NotSent

reactor: Any = _reactor


def message(number: int) -> Message:
    """One that is not like the others."""
    return Message(
        sender="index@pkg.example", to="ada@people.example", data=f"Subject: {number}\n\n".encode()
    )


def folder(path: Path, **more: Any) -> Folder:
    """A folder that is not there yet."""
    return Folder(path=path / "mail", reactor=reactor, **more)


def kept(path: Path) -> list[Path]:
    """Everything in it, oldest first."""
    return sorted((path / "mail").iterdir())


async def test_one_file_each(tmp_path: Path) -> None:
    """A message becomes one file, which nobody else may read, and nothing else."""
    await folder(tmp_path).send(message(1))
    await folder(tmp_path).send(message(2))
    assert [one.read_bytes() for one in kept(tmp_path)] == [message(1).data, message(2).data]
    assert {one.suffix for one in kept(tmp_path)} == {".eml"}
    assert {S_IMODE(one.stat().st_mode) for one in kept(tmp_path)} == {0o600}
    assert S_IMODE((tmp_path / "mail").stat().st_mode) == 0o700


async def test_many_at_once(tmp_path: Path) -> None:
    """Messages of several workers at one time are all kept."""
    one, other = folder(tmp_path), folder(tmp_path)
    sending = [Deferred.fromCoroutine((one, other)[number % 2].send(message(number))) for number in range(40)]
    await gatherResults(sending)
    assert sorted(one.read_bytes() for one in kept(tmp_path)) == sorted(message(n).data for n in range(40))


async def test_not_too_many(tmp_path: Path) -> None:
    """The oldest go when there are too many; what lies there besides is left alone."""
    await folder(tmp_path).probe()
    (tmp_path / "mail" / "notes.eml").write_text("mine")
    for number in range(7):
        await folder(tmp_path, most=3).send(message(number))
    assert [one.name for one in kept(tmp_path)] == [
        *("00000005.eml", "00000006.eml", "00000007.eml"),
        "notes.eml",
    ]


async def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    """Where there can be no folder, the message is to be tried again."""
    (tmp_path / "mail").write_text("in the way")
    for doing in (folder(tmp_path).send(message(1)), folder(tmp_path).probe()):
        with pytest.raises(NotSent, match="mail: "):
            await doing
