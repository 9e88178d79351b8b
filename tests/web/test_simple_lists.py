"""Lists of projects that are too long to be an answer in one piece."""

from __future__ import annotations

import gzip
import json

import pytest

from pypi.db import database as database_module
from pypi.index.database import DatabaseIndex
from pypi.web import simple
from tests.support.archives import wheel, wheel_filename
from tests.support.index import Index

HTML = "text/html"
V1_JSON = "application/vnd.pypi.simple.v1+json"


@pytest.fixture(autouse=True)
def lists_are_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simple, "IN_ONE_PIECE", 1000)


def fill(index: Index, projects: int = 3000) -> None:
    index.sql(
        "INSERT INTO projects (name, normalized, look_alike, created) "
        f"SELECT 'P' || n, 'p' || n, '', now() FROM generate_series(1, {projects}) n"
    )


@pytest.mark.parametrize("accept", [HTML, V1_JSON])
async def test_both_codings(new_index: Index, accept: str) -> None:
    """A long list says what it would say in one piece, packed or not, each under a validator of its own."""
    fill(new_index)
    plain = await new_index.ask("/simple/", {"Accept": accept})
    packed = await new_index.ask("/simple/", {"Accept": accept, "Accept-Encoding": "gzip"})
    assert (plain.status, packed.status) == (200, 200)
    assert "Content-Encoding" not in plain
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert int(packed["Content-Length"]) == len(packed.body) < len(plain.body) / 3
    assert plain["ETag"] != packed["ETag"]
    assert {plain["Vary"], packed["Vary"]} == {"Accept, Accept-Encoding"}
    assert plain["Content-Type"] == packed["Content-Type"] == simple.CONTENT_TYPES[accept]


async def test_in_one_piece(new_index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list says the same whether it is sent in one piece or in blocks."""
    fill(new_index)
    in_blocks = await new_index.ask("/simple/")
    monkeypatch.setattr(simple, "IN_ONE_PIECE", 1 << 20)
    await new_index.upload(wheel("zzz"), wheel_filename("zzz"))  # and so nothing is kept any more
    in_one_piece = await new_index.ask("/simple/")
    link = b'<a href="/simple/zzz/">zzz</a>\n'
    assert in_one_piece.body == in_blocks.body.replace(b"</body>", link + b"</body>")


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_revalidation(new_index: Index, encoding: str) -> None:
    """Who has the list already gets none, until there is another one; HEAD is GET without the body."""
    fill(new_index)
    headers = {"Accept": V1_JSON, "Accept-Encoding": encoding}
    first = await new_index.ask("/simple/", headers)
    again = await new_index.ask("/simple/", {**headers, "If-None-Match": first["ETag"]})
    assert (again.status, again.body, again["ETag"]) == (304, b"", first["ETag"])
    headed = await new_index.ask("/simple/", headers, method="HEAD")
    assert (headed.status, headed["Content-Length"]) == (200, first["Content-Length"])
    assert headed["ETag"] == first["ETag"]
    await new_index.upload(wheel("cheese"), wheel_filename("cheese"))
    changed = await new_index.ask("/simple/", {**headers, "If-None-Match": first["ETag"]})
    assert changed.status == 200


async def test_an_upload_is_seen_at_once(new_index: Index) -> None:
    """The list has a project as soon as its upload was answered, with its serial and that of all."""
    fill(new_index)
    await new_index.ask("/simple/")
    for number in range(3):
        uploaded = await new_index.upload(wheel(f"cheese{number}"), wheel_filename(f"cheese{number}"))
        reply = await new_index.ask("/simple/", {"Accept": V1_JSON, "Accept-Encoding": "gzip"})
        listed = json.loads(gzip.decompress(reply.body))
        serial = int(uploaded["X-PyPI-Last-Serial"])
        assert {"name": f"cheese{number}", "_last-serial": serial} in listed["projects"]
        assert listed["meta"]["_last-serial"] == serial == int(reply["X-PyPI-Last-Serial"])
        assert len(listed["projects"]) == 3000 + number + 1


async def test_without_a_database(new_index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the database is gone the list is that of a while ago, and edges are not told to keep it."""
    fill(new_index)
    before = await new_index.ask("/simple/", {"Accept": V1_JSON})
    [index] = [part for part in new_index.application.parts if isinstance(part, DatabaseIndex)]
    monkeypatch.setattr(database_module, "TRIES", 1)
    monkeypatch.setattr(index.database, "dsn", "postgresql://nobody@127.0.0.1:1/nothing")
    index.database._drop_idle()
    reply = await new_index.ask("/simple/", {"Accept": V1_JSON})
    assert (reply.status, reply.body) == (200, before.body)
    assert "fwd=stale" in reply["Cache-Status"]
    monkeypatch.setattr(simple, "IN_ONE_PIECE", 1 << 20)
    assert (await new_index.ask("/simple/", {"Accept": HTML})).status == 503
