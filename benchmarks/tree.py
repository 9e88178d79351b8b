"""Pages as files, written from our own server's answers: what nginx serves is byte for byte the same."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from attrs import frozen

from benchmarks.client import connect, read_body, read_head
from benchmarks.clients import PIP_NOW, Client
from benchmarks.traffic import Ask

HTML = Client("tree", 0, (("Accept", "text/html"), ("Accept-Encoding", "gzip")))


@frozen
class Size:
    """Bytes of a page: as it is meant, and compressed (0 where it is sent as it is)."""

    plain: int
    compressed: int


def write(tree: Path, origin: str, asks: Iterable[Ask]) -> dict[tuple[str, bool], Size]:
    """Write every page of a list, and beside it the compressed one if our server has one.

    Returns:
        (project, is it JSON?) → size.
    """
    pages = {(ask.project, ask.client.takes_json) for ask in asks}
    return {page: _write(tree, *page, body) for page, body in _bodies(origin, sorted(pages))}


Page = tuple[str, bool]


def _bodies(origin: str, pages: Iterable[Page]) -> Iterator[tuple[Page, tuple[bytes, bytes]]]:
    connection, host = connect(origin), urlsplit(origin).netloc
    try:
        for project, json in pages:
            connection.sendall((PIP_NOW if json else HTML).request(f"/simple/{project}/", host))
            head, body = read_head(connection), bytearray()
            read_body(connection, head, body.extend)
            compressed = bytes(body) if head.fields.get("content-encoding") == "gzip" else b""
            yield (project, json), (gzip.decompress(body) if compressed else bytes(body), compressed)
    finally:
        connection.close()


def _write(tree: Path, project: str, json: bool, bodies: tuple[bytes, bytes]) -> Size:
    plain, compressed = bodies
    file = tree / "simple" / project / f"index.{'json' if json else 'html'}"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(plain)
    if compressed:
        file.with_name(f"{file.name}.gz").write_bytes(compressed)
    return Size(len(plain), len(compressed))
