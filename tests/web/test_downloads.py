"""``/packages/…``: files as they were uploaded, whole or in parts, and nothing else."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from random import Random

import pytest
import pytest_twisted
from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol

from tests.support import client
from tests.support.archives import core_metadata, wheel, wheel_filename
from tests.support.client import Headers, Reply
from tests.support.databases import Databases
from tests.support.index import Index, reactor, running

METADATA = core_metadata(headers=[("Summary", "To be downloaded")])
DATA = wheel(metadata=METADATA, files={"noise": Random(1).randbytes(300_000)})
SIZE = len(DATA)
FILENAME = wheel_filename()
DIGEST = hashlib.blake2b(DATA, digest_size=32).hexdigest()
FOLDER = f"/packages/{DIGEST[:2]}/{DIGEST[2:4]}/{DIGEST[4:]}"
PATH = f"{FOLDER}/{FILENAME}"
ETAG = f'"{DIGEST}"'

ALWAYS = {
    "accept-ranges": "bytes",
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET",
    "access-control-expose-headers": "X-PyPI-Last-Serial",
    "access-control-max-age": "86400",
    "cache-control": "max-age=31536000, public, immutable",
    "cache-status": "cheeseshop-l1; fwd=bypass",
    "content-security-policy": "default-src 'none'; sandbox",
    "cross-origin-resource-policy": "cross-origin",
    "x-content-type-options": "nosniff",
}


@frozen
class Stored:
    """An index with one file."""

    index: Index

    async def get(self, headers: Headers = (), *, path: str = PATH, method: str = "GET") -> Reply:
        """Ask for a path, the file's unless given."""
        return await self.index.ask(path, headers, method=method)


@pytest_twisted.async_yield_fixture(scope="module")
async def stored(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stored]:
    """The index with the file ``DATA``."""
    url = databases.make()
    async with running(url, tmp_path_factory.mktemp("stored")) as index:
        assert (await index.upload(DATA, FILENAME)).status == 200
        yield Stored(index)
    databases.drop(url)


async def test_whole(stored: Stored) -> None:
    """A file comes as it was uploaded, to be kept for ever and run by nobody."""
    reply = await stored.get()
    assert (reply.status, reply.body) == (200, DATA)
    modified = parsedate_to_datetime(reply["Last-Modified"])
    assert modified.timestamp() == int(
        (stored.index.folder / "files" / PATH.removeprefix("/packages/")).stat().st_mtime
    )
    assert reply.headers == {
        **ALWAYS,
        "content-length": str(SIZE),
        "content-type": "application/octet-stream",
        "etag": ETAG,
        "last-modified": reply["Last-Modified"],
    }


async def test_metadata(stored: Stored) -> None:
    """Beside a wheel lies its metadata, byte for byte (PEP 658)."""
    reply = await stored.get(path=f"{PATH}.metadata")
    assert (reply.status, reply.body) == (200, METADATA)
    assert {name: reply[name] for name in ALWAYS} == ALWAYS


@pytest.mark.parametrize("path", [PATH, f"{PATH}.metadata"])
async def test_head(stored: Stored, path: str) -> None:
    """HEAD is GET without the body, also where a part is asked for."""
    got, headed = await stored.get(path=path), await stored.get(path=path, method="HEAD")
    assert (headed.status, headed.headers, headed.body) == (200, got.headers, b"")
    ranged = await stored.get({"Range": "bytes=0-0"}, path=path, method="HEAD")
    assert (ranged.status, ranged.headers) == (200, got.headers)


async def test_encoding_is_none(stored: Stored) -> None:
    """Files are never compressed on their way: their digests would not fit."""
    reply = await stored.get({"Accept-Encoding": "gzip"}, path=f"{PATH}.metadata")
    assert ("Content-Encoding" in reply, "Vary" in reply, reply.body) == (False, False, METADATA)


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, SIZE),
        ("bytes=-1", SIZE - 1, SIZE),
        ("bytes=-100000", SIZE - 100_000, SIZE),
        (f"bytes=-{SIZE + 5}", 0, SIZE),
        (f"bytes=5-{SIZE + 5}", 5, SIZE),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        ("BYTES=7-8", 7, 9),
        ("bytes=0-4,5-9", 0, 10),
    ],
)
async def test_one_part(stored: Stored, asked: str, start: int, end: int) -> None:
    """A part of a file is exactly those bytes."""
    reply = await stored.get({"Range": asked})
    assert (reply.status, reply.body) == (206, DATA[start:end])
    assert reply["Content-Range"] == f"bytes {start}-{end - 1}/{SIZE}"
    assert (reply["Content-Type"], reply["ETag"]) == ("application/octet-stream", ETAG)
    assert {name: reply[name] for name in ALWAYS} == ALWAYS


async def test_several_parts(stored: Stored) -> None:
    """Several parts come in one body with a boundary that is new each time."""
    spans = [(0, 10), (20, 30), (SIZE - 5, SIZE)]
    asked = "bytes=" + ", ".join(f"{start}-{end - 1}" for start, end in spans)
    replies = [await stored.get({"Range": asked}) for _ in range(2)]
    boundaries = [reply["Content-Type"].removeprefix("multipart/byteranges; boundary=") for reply in replies]
    assert boundaries[0] != boundaries[1]
    for reply, boundary in zip(replies, boundaries, strict=True):
        assert reply.status == 206
        pieces = [
            f"--{boundary}\r\nContent-Type: application/octet-stream\r\n"
            f"Content-Range: bytes {start}-{end - 1}/{SIZE}\r\n\r\n".encode()
            + DATA[start:end]
            + b"\r\n"
            for start, end in spans
        ]
        assert reply.body == b"".join(pieces) + f"--{boundary}--\r\n".encode()


@pytest.mark.parametrize(
    "asked", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 9}", "bytes=-0", f"bytes={10**30}-"]
)
async def test_part_beyond_the_end(stored: Stored, asked: str) -> None:
    """A part that is not there is refused with the size, and not to be kept."""
    reply = await stored.get({"Range": asked})
    assert (reply.status, reply["Content-Range"]) == (416, f"bytes */{SIZE}")
    assert reply["Cache-Control"] == "private, no-store"
    assert "ETag" not in reply


@pytest.mark.parametrize(
    "asked",
    ["bytes", "bytes=", "bytes=x", "bytes=9-0", "lines=0-1", "bytes=0-9,5-15", "bytes=" + "0-0," * 50, "0-1"],
)
async def test_parts_that_mean_nothing(stored: Stored, asked: str) -> None:
    """What is no range, or an expensive one, gets the whole file."""
    reply = await stored.get({"Range": asked})
    assert (reply.status, reply.body) == (200, DATA)


async def test_part_of_what_the_client_knows(stored: Stored) -> None:
    """A part is sent only to whoever holds the rest of this very file (If-Range)."""
    modified = (await stored.get())["Last-Modified"]
    for known in (ETAG, modified):
        assert (await stored.get({"Range": "bytes=0-9", "If-Range": known})).status == 206, known
    for other in ('"other"', f"W/{ETAG}", "Thu, 01 Jan 1970 00:00:00 GMT", "nonsense"):
        reply = await stored.get({"Range": "bytes=0-9", "If-Range": other})
        assert (reply.status, reply.body) == (200, DATA), other


async def test_preconditions(stored: Stored) -> None:
    """Whoever has the file is told so; whoever means another one, too."""
    modified = (await stored.get())["Last-Modified"]
    epoch = "Thu, 01 Jan 1970 00:00:00 GMT"
    for given, status in [
        ({"If-None-Match": ETAG}, 304),
        ({"If-None-Match": f'W/{ETAG}, "other"'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-Modified-Since": modified}, 304),
        ({"If-Modified-Since": epoch}, 200),
        ({"If-Modified-Since": modified, "If-None-Match": '"other"'}, 200),
        ({"If-Match": ETAG}, 200),
        ({"If-Match": '"other"'}, 412),
        ({"If-Unmodified-Since": modified}, 200),
        ({"If-Unmodified-Since": epoch}, 412),
        ({"Range": "bytes=0-9", "If-None-Match": ETAG}, 304),
    ]:
        for method in ("GET", "HEAD"):
            assert (await stored.get(given, method=method)).status == status, given
    unchanged = await stored.get({"If-None-Match": ETAG})
    assert (unchanged["ETag"], unchanged["Cache-Control"]) == (ETAG, ALWAYS["cache-control"])


OTHER = "0" * 64

PATHS = [
    "/packages",
    "/packages/",
    f"/packages/{DIGEST[:2]}/",
    f"{FOLDER}/",
    FOLDER,
    f"{FOLDER}/other-1.0-py3-none-any.whl",
    f"/packages/{OTHER[:2]}/{OTHER[2:4]}/{OTHER[4:]}/{FILENAME}",
    f"{FOLDER.upper().replace('PACKAGES', 'packages')}/{FILENAME}",
    f"/packages/{DIGEST}/{FILENAME}",
    f"{PATH}/",
    f"{PATH}.metadata.metadata",
    f"{PATH}.asc",
    f"{FOLDER}/.metadata",
    f"{FOLDER}/{FILENAME}%00",
    f"{FOLDER}/../{FILENAME}",
    f"{FOLDER}/..%2f{FILENAME}",
    f"{FOLDER}/%2e%2e/{FILENAME}",
    f"{FOLDER}/.",
    f"{FOLDER}\\{FILENAME}",
    f"{FOLDER}/{FILENAME.replace('.', '%c0%ae')}",
    f"{FOLDER}/{FILENAME}%20",
    f"{FOLDER}/{FILENAME} ",
    "/packages/../../../../etc/passwd",
    "/packages/..%2f..%2f..%2fetc/passwd/x/y",
    "/packages/etc/passwd/x/y",
    "/packages/.tmp/x/y/z",
    "/files/" + FILENAME,
]


@pytest.mark.parametrize("path", PATHS)
async def test_paths_that_lead_nowhere(stored: Stored, path: str) -> None:
    """Only the exact path of a file leads to it."""
    reply = await stored.get(path=path.replace(" ", "%20"))
    assert reply.status in (400, 404)
    assert reply["Cache-Control"] in ("private, no-store", "no-store")
    assert len(reply.body) < 1000


@pytest.mark.parametrize(
    "path", [f"{FOLDER}//{FILENAME}", f"/{PATH}", f"{PATH}%23md5=x", f"/PACKAGES{PATH[9:]}"]
)
async def test_spellings(stored: Stored, path: str) -> None:
    """Slashes too many, a fragment that was escaped, and capitals before all else do no harm."""
    assert (await stored.get(path=path)).body == (await stored.get()).body


async def test_link_in_the_store(stored: Stored) -> None:
    """A symbolic link in the store, however it came there, is no file."""
    folder = stored.index.folder / "files" / FOLDER.removeprefix("/packages/")
    link = folder / "link-1.0.tar.gz"
    link.symlink_to("/etc/passwd")
    assert (await stored.get(path=f"{FOLDER}/{link.name}")).status == 404
    link.unlink()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_other_methods(stored: Stored, method: str) -> None:
    """A file is read, and that is all."""
    reply = await stored.get(method=method)
    assert (reply.status, reply["Allow"]) == (405, "GET, HEAD, OPTIONS")


async def test_query_changes_nothing(stored: Stored) -> None:
    """A query, as cache busters add it, is no part of the path."""
    assert (await stored.get(path=f"{PATH}?x=1")).body == DATA


async def test_client_that_leaves(stored: Stored) -> None:
    """A client that leaves in the middle of a download is no failure of ours, and the next is served."""
    for _ in range(5):
        exchange = await client.connect(stored.index.port)
        exchange.send(client.request(stored.index.port, "GET", PATH))
        exchange.vanish()
        await exchange.ended
    assert (await stored.get()).body == DATA
    assert stored.index.errors == []


async def test_file_that_is_damaged(stored: Stored) -> None:
    """A file that shrinks while it is sent breaks off the connection: nobody takes it for whole."""
    digest, filename = "a" * 64, "cut-1.0.tar.gz"
    path = stored.index.folder / "files" / digest[:2] / digest[2:4] / digest[4:] / filename
    path.parent.mkdir(parents=True)
    path.touch()
    os.truncate(path, 64 << 20)
    exchange = await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", stored.index.port), Hesitant())
    target = f"/packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/{filename}"
    exchange.send(client.request(stored.index.port, "GET", target))
    await exchange.begun
    os.truncate(path, 0)
    exchange.transport.resumeProducing()
    head, _, body = (await exchange.ended).partition(b"\r\n\r\n")
    assert b"200 OK" in head
    assert len(body) < 64 << 20
    assert stored.index.errors
    stored.index.errors.clear()


class Hesitant(client.Exchange):
    """Stops reading at the first bytes.

    Attributes:
        begun: fires with them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.begun: Deferred[None] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        if not self.begun.called:
            self.transport.pauseProducing()  # type: ignore[union-attr]
            self.begun.callback(None)
