"""The sweep: takes away what nothing lists and nobody needs any more, and not one byte else."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_twisted
from attrs import evolve

from pypi.files import paths
from pypi.files.tree import Tree
from pypi.jobs.schedule import Schedule
from pypi.jobs.sweep import Sweep
from tests.support import archives
from tests.support.index import Index, running

DATA = archives.wheel()
FILENAME = archives.wheel_filename()
OLD = timedelta(hours=25)


@pytest_twisted.async_yield_fixture
async def index(database_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    async with running(database_url, tmp_path, scheduled=True) as made:
        yield made


@pytest.fixture
def sweep(index: Index) -> Sweep:
    (schedule,) = (part for part in index.application.parts if isinstance(part, Schedule))
    (found,) = (job for job in schedule.jobs if isinstance(job, Sweep))
    return found


@pytest.fixture
def tree(index: Index) -> Tree:
    return Tree(index.folder / "files")


def tomorrow(sweep: Sweep) -> Sweep:
    """The same sweep, a day and an hour later."""
    return evolve(sweep, now=lambda: datetime.now(UTC) + OLD)


def orphan(tree: Tree, number: int, filename: str = FILENAME) -> str:
    """Store a file that nothing lists; returns its path."""
    path = paths.store_path(f"{number:064x}", filename)
    tree.place_bytes(b"orphan", path)
    return path


def stored(tree: Tree) -> list[str]:
    """The paths of everything in the store."""
    return [found.path for found in tree.walk()]


async def test_old_leftovers_go_and_what_is_listed_stays(index: Index, sweep: Sweep, tree: Tree) -> None:
    """Orphans, stray metadata, temporaries and empty folders go; a listed file keeps all its own."""
    assert (await index.upload(DATA, FILENAME)).status == 200
    kept = stored(tree)
    assert len(kept) == 2
    for number in range(3):
        tree.place_bytes(b"", paths.metadata_path(orphan(tree, number)))
    tree.place_bytes(b"", paths.metadata_path(paths.store_path("a" * 64, FILENAME)))
    (tree.temporary / ("0" * 32)).write_bytes(b"spooled")
    empty = tree.root / paths.store_path("b" * 64, "x").removesuffix("/x")
    empty.mkdir(parents=True)
    await tomorrow(sweep).run()
    assert stored(tree) == kept
    assert list(tree.temporary.iterdir()) == []
    assert not empty.exists()


async def test_what_may_belong_to_an_upload_under_way_stays(index: Index, sweep: Sweep, tree: Tree) -> None:
    """Nothing younger than the age is touched, orphan or not."""
    path = orphan(tree, 1)
    (tree.temporary / ("0" * 32)).write_bytes(b"spooled")
    empty = tree.root / paths.store_path("b" * 64, "x").removesuffix("/x")
    empty.mkdir(parents=True)
    await sweep.run()
    assert stored(tree) == [path]
    assert len(list(tree.temporary.iterdir())) == 1
    assert empty.exists()


async def test_listed_content_under_another_filename_is_an_orphan(
    index: Index, sweep: Sweep, tree: Tree
) -> None:
    """Of two uploads of the same bytes under two names, what the loser stored goes too."""
    assert (await index.upload(DATA, FILENAME)).status == 200
    kept = stored(tree)
    other = str(Path(kept[0]).with_name("other-1.0-py3-none-any.whl"))
    tree.place_bytes(DATA, other)
    tree.place_bytes(b"", paths.metadata_path(other))
    await tomorrow(sweep).run()
    assert stored(tree) == kept


async def test_more_orphans_than_one_batch(sweep: Sweep, tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches end where they end: everything is found, however many names one content has."""
    monkeypatch.setattr("pypi.jobs.sweep.BATCH", 3)
    for number in range(4):
        for filename in ("a-1.0.tar.gz", FILENAME):
            tree.place_bytes(b"", paths.metadata_path(orphan(tree, number, filename)))
    await tomorrow(sweep).run()
    assert stored(tree) == []


async def test_old_bytes_that_have_just_been_listed_stay(index: Index, sweep: Sweep, tree: Tree) -> None:
    """An orphan that a later upload lists is none any more, whatever its age."""
    assert (await index.upload(DATA, FILENAME)).status == 200
    kept = stored(tree)
    yesterday = time.time() - OLD.total_seconds()
    for path in kept:
        os.utime(tree.root / path, (yesterday, yesterday))
    await sweep.run()
    assert stored(tree) == kept
