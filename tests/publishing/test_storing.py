"""Between storing a file and listing it: whatever comes between, nothing half-made is listed or left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from pypi.db.database import Database, OutcomeUnknown
from pypi.domain.errors import StorageFull
from pypi.files import paths
from pypi.files.local import LocalFiles
from pypi.files.spool import Spooled
from pypi.files.tree import Tree
from tests.support import archives
from tests.support.index import Index, running

DATA = archives.wheel()
FILENAME = archives.wheel_filename()
PAGE = "/simple/demo/"


@pytest_twisted.async_yield_fixture
async def index(database_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    async with running(database_url, tmp_path) as made:
        yield made


def stored(index: Index) -> list[str]:
    """The paths of everything in the store."""
    return [found.path for found in Tree(index.folder / "files").walk()]


async def test_nothing_is_left_of_a_file_that_could_not_be_stored(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is room for the metadata but not for the file, the metadata goes again at once."""

    async def full(self: LocalFiles, path: str, spooled: Spooled) -> None:
        assert stored(index) == [paths.metadata_path(path)]
        raise StorageFull()

    before = index.state()
    with monkeypatch.context() as patched:
        patched.setattr(LocalFiles, "put", full)
        assert (await index.upload(DATA, FILENAME)).status == 507
    assert stored(index) == []
    assert index.state().tables == before.tables
    assert (await index.upload(DATA, FILENAME)).status == 200


@pytest.mark.parametrize("lost", ["file", "metadata"])
async def test_a_file_that_is_swept_away_before_it_is_listed(
    index: Index, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    """If either of the two files has gone when the rows are to be written, nothing is listed."""
    put = LocalFiles.put

    async def put_and_lose(self: LocalFiles, path: str, spooled: Spooled) -> None:
        await put(self, path, spooled)
        await self.delete(path if lost == "file" else paths.metadata_path(path))

    before = index.state()
    with monkeypatch.context() as patched:
        patched.setattr(LocalFiles, "put", put_and_lose)
        assert (await index.upload(DATA, FILENAME)).status == 503
    assert stored(index) == []
    assert index.state().tables == before.tables
    assert (await index.upload(DATA, FILENAME)).status == 200
    assert len(stored(index)) == 2


async def test_the_same_bytes_under_two_filenames_at_once(index: Index) -> None:
    """One is listed, the other refused, and what the loser stored goes with the refusal."""
    names = [FILENAME, archives.wheel_filename(tag="1-py3-none-any")]
    uploads = [Deferred.fromCoroutine(index.upload(DATA, name)) for name in names]
    replies = await gatherResults(uploads)
    assert sorted(reply.status for reply in replies) == [200, 400]
    winner = names[[reply.status for reply in replies].index(200)]
    assert [path.rpartition("/")[2] for path in stored(index)] == [winner, f"{winner}.metadata"]


class Losing:
    """Stands in for ``Database.transact``: the outcome of one publication is unknown.

    Attributes:
        happens: whether it is committed.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, happens: bool) -> None:
        self.happens = happens
        self.lost = 0
        transact = Database.transact

        async def lossy(database: Database, function: Any, *args: Any) -> Any:
            if function.__name__ != "record" or self.lost:
                return await transact(database, function, *args)
            self.lost += 1
            if self.happens:
                await transact(database, function, *args)
            raise OutcomeUnknown()

        monkeypatch.setattr(Database, "transact", lossy)


@pytest.mark.parametrize("happens", [True, False])
async def test_a_commit_of_unknown_outcome_is_looked_up(
    index: Index, monkeypatch: pytest.MonkeyPatch, happens: bool
) -> None:
    """Whether it happened is what the uploader is told."""
    losing = Losing(monkeypatch, happens=happens)
    reply = await index.upload(DATA, FILENAME)
    assert losing.lost == 1
    assert reply.status == (200 if happens else 503)
    assert (await index.ask(PAGE)).status == (200 if happens else 404)
    assert (await index.upload(DATA, FILENAME)).status == 200


async def test_another_file_with_the_same_bytes_is_no_answer(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an unknown outcome, the same bytes under another filename are no success."""
    other = archives.wheel_filename(tag="1-py3-none-any")
    losing = Losing(monkeypatch, happens=False)
    looked_up = Database.read

    async def rivalled(database: Database, function: Any, *args: Any) -> Any:
        found = await looked_up(database, function, *args)
        if function.__name__ == "look" and not losing.lost:
            losing.lost = 1
            assert (await index.upload(DATA, other)).status == 200
            losing.lost = 0
        return found

    monkeypatch.setattr(Database, "read", rivalled)
    assert (await index.upload(DATA, FILENAME)).status == 503
    assert losing.lost == 1
    monkeypatch.undo()
    assert FILENAME not in (await index.ask(PAGE)).text
