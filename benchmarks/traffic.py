"""Lists of requests as an index gets them: who asks for what, and who has it already.

Which project is asked for follows Zipf's law; who asks is drawn from ``benchmarks.clients.MIX``. Before a
server is measured, each different request of the list is sent to it once: so its caches are warm, its
validators are known, and what it answers can be compared with what the others do.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import accumulate
from pathlib import Path
from urllib.parse import urlsplit

from attrs import field, frozen

from benchmarks import wrk
from benchmarks.client import connect, read_body, read_head
from benchmarks.clients import MIX, Client
from benchmarks.figure import BenchmarkFailed

ASKS = 40_000
STEEPNESS = 1.0
"""Of Zipf's law: the project at place r is asked for in proportion to ``r ** -STEEPNESS``."""

PathOf = Callable[[str, bool], str]
"""(project, as JSON?) → path."""


@frozen
class Ask:
    """Somebody asks for a page.

    Attributes:
        has_it: whether it comes with the page's validator.
    """

    project: str
    client: Client
    has_it: bool = False


@frozen
class Page:
    """What a server answered.

    Attributes:
        digest: of the page as it is meant, uncompressed.
        sent: bytes of the body as it was sent.
    """

    etag: str
    digest: bytes
    sent: int


@frozen
class Known:
    """What a server answers to whom.

    Attributes:
        origin: its URL.
        path: what stands for a page there.
    """

    origin: str
    path: PathOf = field(repr=False)
    pages: Mapping[tuple[str, str], Page] = field(repr=False)

    def request(self, ask: Ask) -> bytes:
        """The bytes of a request."""
        etag = self.pages[ask.project, ask.client.name].etag if ask.has_it else ""
        path = self.path(ask.project, ask.client.takes_json)
        return ask.client.request(path, urlsplit(self.origin).netloc, etag)

    def write(self, file: Path, asks: Sequence[Ask]) -> Path:
        """A list for wrk."""
        return wrk.write(file, map(self.request, asks))


def drawn(names: Sequence[str], *, seed: int = 1, count: int = ASKS, having: float = 0.2) -> list[Ask]:
    """A list of asks.

    Args:
        names: of projects, the most popular first.
        having: the share of clients that have the page already.
    """
    source = random.Random(seed)
    weights = list(accumulate(place**-STEEPNESS for place in range(1, len(names) + 1)))
    asked = source.choices(names, cum_weights=weights, k=count)
    clients = source.choices(MIX, weights=[client.share for client in MIX], k=count)
    return [Ask(name, client, source.random() < having) for name, client in zip(asked, clients, strict=True)]


def simple(project: str, json: bool) -> str:
    """The path of a page as clients know it."""
    return f"/simple/{project}/"


def known(origin: str, asks: Iterable[Ask], path: PathOf = simple) -> Known:
    """Ask a server for every page of a list once, in each way in which it is asked for.

    Raises:
        BenchmarkFailed: an answer is no 200, or comes without a validator though one will be needed.
    """
    wanted = {(ask.project, ask.client.name): ask for ask in asks}
    needed = {(ask.project, ask.client.name) for ask in asks if ask.has_it}
    pages = dict(zip(wanted, _fetched(origin, wanted.values(), path), strict=True))
    if any(not pages[one].etag for one in needed):
        raise BenchmarkFailed(f"{origin} sends no ETag")
    return Known(origin, path, pages)


def check_same(one: Known, other: Known) -> None:
    """Raises:
    BenchmarkFailed: two servers answer the same request with different pages."""
    for place, page in one.pages.items():
        if page.digest != other.pages[place].digest:
            raise BenchmarkFailed(f"{other.origin} answers {' to '.join(place)} otherwise than {one.origin}")


def _fetched(origin: str, asks: Iterable[Ask], path: PathOf) -> Iterator[Page]:
    connection = connect(origin)
    try:
        for ask in asks:
            connection.sendall(
                ask.client.request(path(ask.project, ask.client.takes_json), urlsplit(origin).netloc)
            )
            head, body = read_head(connection), bytearray()
            read_body(connection, head, body.extend)
            sent = len(body)
            if head.fields.get("content-encoding") == "gzip":
                body = bytearray(gzip.decompress(body))
            yield Page(head.fields.get("etag", ""), blake2b(body, digest_size=16).digest(), sent)
            if head.fields.get("connection", "").lower() == "close" or "content-length" not in head.fields:
                connection.close()
                connection = connect(origin)
    finally:
        connection.close()
