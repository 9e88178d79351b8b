"""What an upload does to the disk; run as a module, three of them in a process of their own."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from twisted.internet import task

from pypi.domain.errors import Unavailable
from pypi.files import paths
from pypi.files.local import LocalFiles
from pypi.files.spool import Spool
from pypi.files.store import FileStore
from pypi.files.workers import Workers
from tests.contracts.file_store import LIMIT

CHECKOUT = Path(__file__).parents[2]
METADATA = b"Name: x\n"
SIZE = 100_000


async def upload(store: FileStore, spool: Spool, data: bytes) -> str:
    """Spool and store a file and its metadata, or leave nothing in the spool; the file's path."""
    file = await spool.create(LIMIT)
    try:
        await file.write(data)
        spooled = await file.finish()
        path = paths.store_path(spooled.blake2_256, "x-1.tar.gz")
        await store.put_bytes(paths.metadata_path(path), METADATA)
        await store.put(path, spooled)
    except BaseException:
        await file.abort()
        raise
    return path


def data_of(number: int) -> bytes:
    """The bytes of one of the three uploads."""
    return bytes([number]) * SIZE


def three_uploads(root: Path, limit: int = 0, *before: str) -> list[str]:
    """What became of three uploads one after the other.

    Args:
        limit: bytes the process may give a file; 0 for any number.
        before: a command, such as a tracer, to run the process with.
    """
    command = [*before, sys.executable, "-m", __name__, str(root), str(limit)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.splitlines()


async def main(reactor: Any, root: str, limit: str) -> None:
    workers = Workers(reactor, threads=1)
    await workers.start()
    store = LocalFiles(Path(root), workers)
    await store.start()
    spool = Spool(store.temporary, workers)
    if int(limit):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    for number in range(3):
        try:
            await upload(store, spool, data_of(number))
            print("stored")
        except Unavailable as refusal:
            print(type(refusal).__name__)
    await workers.stop()


if __name__ == "__main__":
    task.react(main, sys.argv[1:])
