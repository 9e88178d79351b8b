"""Several workers count downloads: none is lost while the database is away, nor when they end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import blake2b
from pathlib import Path
from signal import SIGTERM

import pytest_twisted

from pypi.files.paths import store_path
from tests.jobs.test_usage import away
from tests.support.databases import ask
from tests.support.index import OWNER
from tests.support.pages import Stage
from tests.support.rig import MiB, upload

ROUTE = "/packages/<first>/<second>/<rest>/<filename>"

KEPT = """
    SELECT filename, file_downloads.count, downloads.count, recent FROM file_downloads
      JOIN files ON files.id = file_id JOIN downloads USING (project_id) JOIN popularity USING (project_id)"""


@pytest_twisted.async_yield_fixture
async def stage(database_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """Two workers, on a database that outlives them."""
    made = Stage(tmp_path, database_url=database_url, workers=2)
    await made.welcome(OWNER)
    try:
        made.start()
        yield made
    finally:
        made.end()


async def test_nothing_is_lost(stage: Stage) -> None:
    """Each worker counts what it sends, a small file and a large one, with a database and without one."""
    files = [upload("small"), upload("large", size=3 * MiB)]
    for one in files:
        assert stage.publish(one).status == 200
    paths = [
        f"/packages/{store_path(blake2b(one.data, digest_size=32).hexdigest(), one.filename)}"
        for one in files
    ]
    lines = stage.lines()

    def download() -> None:
        for line in lines:
            for path in paths:
                assert line.ask(path).status == 200

    for _ in range(3):
        download()
    assert [stage.figure(slot, "cheeseshop_downloads_total") for slot in (1, 2)] == [6, 6]
    assert stage.figures("cheeseshop_lane_requests_total", route=ROUTE) >= 8
    with away(stage.database_url):
        download()
    for line in lines:
        line.close()
    assert stage.process is not None
    stage.process.send_signal(SIGTERM)
    assert stage.process.wait(60) == -SIGTERM
    assert sorted(ask(stage.database_url, KEPT)) == sorted((one.filename, 8, 8, 8) for one in files)
