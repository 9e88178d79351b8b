"""Files in a bucket, through the S3 API."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import IO, Any, TypeVar

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import Logger

from pypi.domain.errors import NoSuchFile, StorageFailed
from pypi.files import paths
from pypi.files.breaker import Breaker
from pypi.files.bucket import BrokenOff, Bucket, Part, Upload
from pypi.files.s3_client import TRIES
from pypi.files.spool import Spooled
from pypi.files.store import PIECE, Listed
from pypi.files.workers import Workers

T = TypeVar("T")

PARTS_FROM = 64 << 20
"""Bytes from which a file is sent in parts."""

PART_SIZE = 8 << 20
"""Bytes of a part: as many as are held in memory, so few; the API asks for 5 MiB."""

MAX_PARTS = 10_000
PARTS_AT_ONCE = 3

log = Logger()


@define(eq=False)
class S3Files:
    """A ``FileStore`` in a bucket.

    The right to list the bucket is needed: without it, the S3 API does not tell a missing object.

    Attributes:
        workers: threads for this store alone, lest a slow bucket hold up the disk.
        breaker: lets the bucket rest when it fails.
        parts_from: bytes from which a file is sent in parts.
    """

    bucket: Bucket
    workers: Workers
    breaker: Breaker
    parts_from: int = PARTS_FROM

    def __repr__(self) -> str:
        settings = self.bucket.settings
        state = ", resting" if self.breaker.is_open else ""
        return f"<S3Files s3://{settings.bucket}/{settings.prefix} at {settings.endpoint_url}{state}>"

    async def start(self) -> None:
        """Nothing yet: an index whose bucket is away still answers from its caches."""

    async def stop(self) -> None:
        """Close the connections."""
        await self.workers.release(self.bucket.close)

    async def put(self, path: str, spooled: Spooled) -> None:
        """Send the spooled file, look at what was stored, and remove it here."""
        paths.check(path, spooled.blake2_256)
        if spooled.size < self.parts_from:
            await self._call(self.bucket.put, path, spooled)
        else:
            await self._put_in_parts(path, spooled)
        await self.workers.release(_unlink, spooled.path)

    async def put_bytes(self, path: str, data: bytes) -> None:
        """Send a small file, and look at what was stored."""
        paths.check(path)
        await self._call(self.bucket.put_bytes, path, data)

    async def open(self, path: str) -> S3File:
        """Find a file."""
        paths.check(path)
        found = await self._call(self.bucket.find, path)
        if found is None:
            raise NoSuchFile(path)
        return S3File(path=path, size=found.size, modified=found.modified, etag=found.etag, store=self)

    async def size(self, path: str) -> int | None:
        """Bytes of a file."""
        paths.check(path)
        found = await self._call(self.bucket.find, path)
        return None if found is None else found.size

    async def delete(self, path: str) -> None:
        """Remove a file."""
        paths.check(path)
        await self._call(self.bucket.delete, path)

    async def walk(self) -> AsyncGenerator[Listed, None]:
        """Every file, by key."""
        token: str | None = None
        while True:
            listed, token = await self._call(self.bucket.page, token)
            for one in listed:
                if paths.parse(one.path):
                    yield one
            if token is None:
                return

    async def tidy(self, older_than: float) -> int:
        """Forget parts of uploads that were never completed."""
        return await self._call(self.bucket.abandon_old, older_than)

    async def _put_in_parts(self, path: str, spooled: Spooled) -> None:
        upload = await self._call(self.bucket.begin, path)
        try:
            parts = await self._send_parts(upload, spooled)
            await self._call(self.bucket.complete, upload, parts, spooled.size)
        except Exception:
            await self.workers.release(self.bucket.abandon, upload)
            raise

    async def _send_parts(self, upload: Upload, spooled: Spooled) -> list[Part]:
        """Send all parts, ``PARTS_AT_ONCE``; after a failure no further one is begun."""
        size = max(PART_SIZE, -(-spooled.size // MAX_PARTS))
        waiting = deque(enumerate(range(0, spooled.size, size), start=1))
        sent: list[Part] = []

        async def send() -> None:
            while waiting:
                number, offset = waiting.popleft()
                length = min(size, spooled.size - offset)
                try:
                    part = await self._call(
                        self.bucket.send_part, upload, number, spooled.path, offset, length
                    )
                except BaseException:
                    waiting.clear()
                    raise
                sent.append(part)

        senders = [Deferred.fromCoroutine(send()) for _ in range(PARTS_AT_ONCE)]
        outcomes: list[tuple[bool, Any]] = await DeferredList(senders, consumeErrors=True)
        for succeeded, failure in outcomes:
            if not succeeded:
                failure.raiseException()
        return sorted(sent, key=lambda part: part.number)

    async def _call(self, function: Callable[..., T], *args: Any) -> T:
        """Call the bucket in a thread, unless it rests; log what it does wrong."""
        with self.breaker.attempt():
            try:
                return await self.workers.run(function, *args)
            except StorageFailed as refusal:
                log.error("{store!r} failed: {cause}", store=self, cause=refusal.__cause__)
                raise


@frozen(kw_only=True)
class S3File:
    """A ``StoredFile`` of ``S3Files``; ``etag`` makes sure that all reads are of one object."""

    path: str
    size: int
    modified: float
    etag: str
    store: S3Files
    os_path: Path | None = None

    async def read(self, start: int = 0, length: int | None = None) -> AsyncGenerator[bytes, None]:
        """A part of the file."""
        end = self.size if length is None else start + length
        if not 0 <= start <= end <= self.size:
            raise ValueError(f"{self.path} has no bytes {start} to {end}")
        reader = _Reader(self.store.bucket, self.path, self.etag, end)
        try:
            while start < end:
                piece = await self.store._call(reader.read, start)
                start += len(piece)
                yield piece
        finally:
            if not reader.closed:
                self.store.workers.release(reader.close)


@define(eq=False)
class _Reader:
    """One answer of the bucket being read, in the hands of one thread at a time."""

    bucket: Bucket
    path: str
    etag: str
    end: int
    closed: bool = False
    _body: IO[bytes] | None = None
    _lock: Lock = field(factory=Lock)

    def read(self, start: int) -> bytes:
        """The bytes from ``start``. An answer that breaks off is asked for again, from there."""
        with self._lock:
            if self.closed:
                raise ValueError("this file is closed")
            tries = 0
            while True:
                tries += 1
                try:
                    piece = self.bucket.read(self._answer(start), min(PIECE, self.end - start))
                    break
                except BrokenOff:
                    self._drop()
                    if tries == TRIES:
                        raise
            if start + len(piece) >= self.end:
                self._close()
            return piece

    def close(self) -> None:
        """Give up the connection, after a read that is still going on; nothing is read afterwards."""
        with self._lock:
            self._close()

    def _answer(self, start: int) -> IO[bytes]:
        if self._body is None:
            self._body = self.bucket.get(self.path, start, self.end, self.etag)
        return self._body

    def _close(self) -> None:
        self.closed = True
        self._drop()

    def _drop(self) -> None:
        body, self._body = self._body, None
        if body is not None:
            with suppress(Exception):
                body.close()


def _unlink(path: Path) -> None:
    with suppress(OSError):
        os.unlink(path)
