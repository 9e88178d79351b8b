"""Bodies in files that are nowhere but in memory."""

from __future__ import annotations

import os
import resource

import pytest

from caching import memfiles
from caching.kept import Form
from caching.memfiles import OTHERS, MemFiles


def form(body: bytes) -> Form:
    return Form(b"", b"Content-Length: %d\r\n\r\n" % len(body), body, b'"x"')


@pytest.fixture(autouse=True)
def _many_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (OTHERS + 10, OTHERS + 10))


def test_a_body_moves() -> None:
    """It is in the file, and nowhere else; whoever asks for it gets it as before."""
    files, made = MemFiles(), form(b"body" * 5000)
    file = made.move(files)
    assert file is not None
    assert made.file is file
    assert made._body == b""
    assert made.body == b"body" * 5000
    assert made.length == file.size == 20_000


def test_it_goes_with_the_last_who_refers_to_it() -> None:
    """The descriptor is closed, and its place is another's."""
    files, made = MemFiles(most=1), form(b"x" * 100)
    file = made.move(files)
    assert file is not None
    descriptor = file.descriptor
    assert form(b"y").move(files) is None
    del made
    assert os.fstat(descriptor).st_size == 100
    del file
    assert files.count == 0
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_connections_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a process may have few descriptors open, none are taken for pages."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (OTHERS, OTHERS))
    files, made = MemFiles(), form(b"body")
    assert made.move(files) is None
    assert made.body == b"body"


def test_there_can_be_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no such files bodies stay where they are, and it is not asked again."""
    asked = []

    def refuse(*_: object) -> int:
        asked.append(1)
        raise OSError

    monkeypatch.setattr(memfiles.os, "memfd_create", refuse)
    files = MemFiles()
    for _ in range(3):
        made = form(b"body")
        assert made.move(files) is None
        assert made.body == b"body"
    assert asked == [1]


def test_no_room_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that does not take the whole body is given up."""
    files, made = MemFiles(), form(b"body")
    monkeypatch.setattr(memfiles.os, "write", lambda *_: 2)
    assert made.move(files) is None
    assert made.body == b"body"
    assert files.count == 0
