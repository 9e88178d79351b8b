"""Files in a bucket, through the S3 API."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from random import random
from threading import Lock
from typing import IO, Any, TypeVar

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import Logger

from caching.breaker import Breaker
from pypi.domain.errors import NoSuchFile, StorageFailed
from pypi.files import paths
from pypi.files.bucket import BrokenOff, Bucket, Part, Upload
from pypi.files.s3_client import TRIES, S3Settings
from pypi.files.spool import Spooled
from pypi.files.store import PIECE, Listed
from pypi.files.workers import Workers

T = TypeVar("T")

PARTS_FROM = 64 << 20
"""Bytes from which a file is sent in parts."""

PART_SIZE = 16 << 20
"""Bytes of a part; the API asks for 5 MiB at least."""

MAX_PARTS = 10_000
PARTS_AT_ONCE = 3

log = Logger()


@define(eq=False)
class S3Files:
    """A ``FileStore`` in a bucket.

    The right to list the bucket is needed: without it, the S3 API does not tell a missing object.

    Attributes:
        reactor: whose clock and threads are used. The threads are this store's own, lest a slow bucket hold
            up the disk.
        threads: most calls to the bucket at once.
        jitter: see ``Breaker``.
        parts_from: bytes from which a file is sent in parts.
    """

    settings: S3Settings
    reactor: Any
    threads: int = 8
    jitter: Callable[[], float] = random
    parts_from: int = PARTS_FROM
    _bucket: Bucket = field(init=False)
    _workers: Workers = field(init=False)
    _breaker: Breaker = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._bucket = Bucket(self.settings, self.threads)
        self._workers = Workers(self.reactor, self.threads, name="bucket")
        self._breaker = Breaker(self.reactor.seconds, self.jitter)

    def __repr__(self) -> str:
        endpoint = f" at {self.settings.endpoint_url}" if self.settings.endpoint_url else ""
        state = ", resting" if self._breaker.is_open else ""
        return f"<S3Files s3://{self.settings.bucket}/{self.settings.prefix}{endpoint}{state}>"

    async def start(self) -> None:
        """Take calls. The bucket is not asked: an index still answers from its caches when it is away."""
        await self._workers.start()

    async def stop(self) -> None:
        """Let the running calls end, and close the connections."""
        await self._workers.stop()
        self._bucket.close()

    async def put(self, path: str, spooled: Spooled) -> None:
        """Send the spooled file, look at what was stored, and remove it here."""
        paths.check(path, spooled.blake2_256)
        if spooled.size < self.parts_from:
            await self._call(self._bucket.put, path, spooled)
        else:
            await self._put_in_parts(path, spooled)
        await self._workers.release(_unlink, spooled.path)

    async def put_bytes(self, path: str, data: bytes) -> None:
        """Send a small file, and look at what was stored."""
        paths.check(path)
        await self._call(self._bucket.put_bytes, path, data)

    async def open(self, path: str) -> S3File:
        """Find a file."""
        paths.check(path)
        found = await self._call(self._bucket.find, path)
        if found is None:
            raise NoSuchFile(path)
        return S3File(
            path=path,
            size=found.size,
            modified=found.modified,
            etag=found.etag,
            bucket=self._bucket,
            call=self._call,
            release=self._workers.release,
        )

    async def size(self, path: str) -> int | None:
        """Bytes of a file."""
        paths.check(path)
        found = await self._call(self._bucket.find, path)
        return None if found is None else found.size

    async def delete(self, path: str) -> None:
        """Remove a file."""
        paths.check(path)
        await self._call(self._bucket.delete, path)

    async def presigned(self, path: str, seconds: int) -> str:
        """A URL by which anybody may GET a file from the bucket for so long, if it is there."""
        paths.check(path)
        return await self._call(self._bucket.presigned, path, seconds)

    async def walk(self) -> AsyncGenerator[Listed, None]:
        """Every file, by key."""
        token: str | None = None
        while True:
            listed, token = await self._call(self._bucket.page, token)
            for one in listed:
                if paths.parse(one.path):
                    yield one
            if token is None:
                return

    async def tidy(self, older_than: float) -> int:
        """Forget parts of uploads that were never completed."""
        return await self._call(self._bucket.abandon_old, older_than)

    async def _put_in_parts(self, path: str, spooled: Spooled) -> None:
        upload = await self._call(self._bucket.begin, path)
        try:
            parts = await self._send_parts(upload, spooled)
            await self._call(self._bucket.complete, upload, parts, spooled)
        except Exception:
            await self._workers.release(self._bucket.abandon, upload)
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
                        self._bucket.send_part, upload, number, spooled.path, offset, length
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
        with self._breaker.attempt(StorageFailed):
            try:
                return await self._workers.run(function, *args)
            except StorageFailed as refusal:
                log.error("{store!r} failed: {cause}", store=self, cause=refusal.__cause__)
                raise


@frozen(kw_only=True)
class S3File:
    """A ``StoredFile`` of ``S3Files``.

    Attributes:
        etag: makes sure that all reads are of one object.
        call: runs a function of the bucket in a thread.
        release: runs what only lets go of something.
    """

    path: str
    size: int
    modified: float
    etag: str
    bucket: Bucket
    call: Callable[..., Awaitable[bytes]]
    release: Callable[..., object]
    os_path: Path | None = None

    async def read(self, start: int = 0, length: int | None = None) -> AsyncGenerator[bytes, None]:
        """A part of the file."""
        end = self.size if length is None else start + length
        if not 0 <= start <= end <= self.size:
            raise ValueError(f"{self.path} has no bytes {start} to {end}")
        reader = _Reader(self.bucket, self.path, self.etag, end)
        try:
            while start < end:
                piece = await self.call(reader.read, start)
                start += len(piece)
                yield piece
        finally:
            if not reader.closed:
                self.release(reader.close)

    def held(self) -> None:
        """It is elsewhere."""

    def at_hand(self) -> None:
        """It is elsewhere."""


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
