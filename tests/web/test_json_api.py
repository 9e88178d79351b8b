"""The JSON API as scripts, mirrors and upload tools read it: what it says, of what, and how it is kept."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from pypi.domain.permissions import OPERATOR
from tests.support.archives import (
    STORED,
    ZipMember,
    core_metadata,
    sdist,
    sdist_filename,
    wheel,
    wheel_filename,
)
from tests.support.databases import Databases
from tests.support.index import Index, running
from tests.support.keeping import until_kept

SETTINGS = {"service__origin": "https://index.example"}

GOLDEN = Path(__file__).parents[1] / "golden" / "json"

CORS = {
    "access-control-allow-headers": (
        "Content-Type, If-Match, If-Modified-Since, If-None-Match, If-Unmodified-Since"
    ),
    "access-control-allow-methods": "GET",
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "X-PyPI-Last-Serial",
    "access-control-max-age": "86400",
}

NAME = "Golden.Cheese"
NOW = datetime(2026, 2, 3, 4, 5, 6, 250000, tzinfo=UTC)

FULL = [
    ("Summary", 'Ripe "cheese" & <crackers>, for läter 🧀'),
    ("Keywords", "cheese,cracker, wine"),
    ("Home-page", "https://cheese.example/"),
    ("Download-URL", "https://cheese.example/download"),
    ("Author", "Ada"),
    ("Author-email", "Ada <ada@people.example>"),
    ("Maintainer", "Bert"),
    ("Maintainer-email", "bert@people.example"),
    ("License-Expression", "mit or apache-2.0"),
    ("License-File", "LICENSE"),
    ("License-File", "licenses/more.txt"),
    ("Classifier", "Programming Language :: Python :: 3"),
    ("Classifier", "Framework :: Twisted"),
    ("Platform", "any"),
    ("Platform", "other"),
    ("Requires-Python", ">=3.9,<4"),
    ("Requires-Dist", "attrs>=25"),
    ("Requires-Dist", 'wine; extra == "party"'),
    ("Provides-Extra", "party"),
    ("Dynamic", "requires-dist"),
    ("Dynamic", "Home-page"),
    ("Project-URL", "Home Page, https://cheese.example/"),
    ("Project-URL", "Download, https://cheese.example/elsewhere"),
    ("Project-URL", "Issues, https://issues.example/?a=b&c"),
    ("Description-Content-Type", "text/markdown; charset=UTF-8; variant=GFM"),
]
LICENSES = {"licenses/LICENSE": b"MIT\n", "licenses/licenses/more.txt": b"Apache\n"}
DESCRIPTION = '# Cheese\n\nRipe, "quoted" \\ and\ttabbed: \u2028 ünï¢ödé 🧀 </script>\n'


def _stored(members: list[ZipMember]) -> None:
    """The same bytes everywhere: compressors differ."""
    for member in members:
        member.method = STORED


async def _publish(index: Index, version: str, tag: str, headers: Any = (), **more: str) -> None:
    metadata = core_metadata(NAME, version, headers=headers, description=DESCRIPTION if headers else "")
    licenses = LICENSES if headers else {}
    data = wheel(NAME, version, metadata=metadata, dist_info_files=licenses, tag=tag, alter=_stored)
    reply = await index.upload(data, wheel_filename(NAME, version, tag), name=NAME, **more)
    assert reply.status == 200, reply.text


@pytest_twisted.async_yield_fixture(scope="module")
async def golden(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Index]:
    """An index with a project of which every byte is known."""
    url = databases.make()
    folder = tmp_path_factory.mktemp("golden")
    async with running(url, folder, now=lambda: NOW, service__origin="https://index.example") as made:
        await made.add_user("bert")
        await _publish(made, "1.10", "py3-none-any", FULL, comment='signed "off"')
        await _publish(made, "1.10", "cp312-abi3-manylinux_2_17_x86_64")
        await _publish(made, "1.9", "py3-none-any")
        await _publish(made, "1.11", "py3-none-any")
        await _publish(made, "1!2.0rc1", "py3-none-any")
        made.sql(
            "UPDATE releases SET yanked = now(), yanked_reason = 'spoiled \"cheese\"' WHERE version = '1.11';"
            "UPDATE files SET yanked = now() WHERE filename LIKE '%-1.9-%';"
            "UPDATE files SET uploaded = '2026-02-03 04:05:06+00' WHERE filename LIKE '%-1.9-%';"
            "INSERT INTO releases (project_id, version, canonical, is_prerelease, metadata, created)"
            " SELECT id, '2004d', '2004d', false, '{}', now() FROM projects;"
            "INSERT INTO roles (project_id, user_id, role, created)"
            " SELECT p.id, u.id, 'Maintainer', now() FROM projects p, users u WHERE u.name = 'bert'"
        )
        yield made
    databases.drop(url)


# What it says


@pytest.mark.parametrize(
    ("path", "recorded"),
    [
        ("/pypi/golden-cheese/json", "project"),
        ("/pypi/golden-cheese/1.10/json", "release"),
        ("/pypi/golden-cheese/1.11/json", "yanked"),
        ("/pypi/golden-cheese/2004d/json", "empty"),
    ],
)
async def test_whole_documents(golden: Index, path: str, recorded: str) -> None:
    """Documents are the recorded ones, byte for byte: every key, sorted, in UTF-8, with a line end."""
    reply = await golden.ask(path)
    assert reply.status == 200
    assert reply.body == (GOLDEN / f"{recorded}.json").read_bytes()


async def test_of_a_real_upload(index: Index, name: str) -> None:
    """A document shows a file as soon as its upload was answered, and its links lead to the very bytes."""
    first = wheel(name, headers=[("Summary", "One")])
    assert (await index.upload(first, wheel_filename(name))).status == 200
    before = (await index.ask(f"/pypi/{name}/json")).json()
    assert [*before["releases"]] == ["1.0"]
    uploaded = await index.upload(sdist(name, "1.1"), sdist_filename(name, "1.1"))
    reply = await index.ask(f"/pypi/{name}/json")
    document = reply.json()
    assert document["info"]["version"] == "1.1"
    assert reply["X-PyPI-Last-Serial"] == uploaded["X-PyPI-Last-Serial"] == str(document["last_serial"])
    assert [file["python_version"] for file in document["urls"]] == ["source"]
    [file] = document["releases"]["1.0"]
    downloaded = await index.ask(file["url"].removeprefix("https://index.example"))
    assert (downloaded.body, len(downloaded.body)) == (first, file["size"])


async def test_of_many_files(new_index: Index) -> None:
    """A document made in a thread is the same document, with every file in its place."""
    new_index.sql(MANY)
    reply = await new_index.ask("/pypi/many/json")
    document = reply.json()
    assert document["info"]["version"] == "1.99"
    assert {version: len(files) for version, files in document["releases"].items()} == {
        f"1.{minor}": 3 for minor in range(100)
    }
    assert document["urls"] == document["releases"]["1.99"]
    for version, files in document["releases"].items():
        assert [file["filename"] for file in files] == [f"many-{version}-{letter}.whl" for letter in "abc"]
    assert reply.body == (await new_index.ask("/pypi/MANY/json")).body


MANY = """
    INSERT INTO projects (name, normalized, look_alike, created) VALUES ('many', 'many', '', now());
    INSERT INTO releases (project_id, version, canonical, is_prerelease, metadata, created)
        SELECT id, '1.' || n, '1.' || n, false, '{}', now() FROM projects, generate_series(0, 99) n;
    INSERT INTO files (project_id, release_id, filename, filetype, python_version, size, md5, sha256,
                       blake2_256, uploaded)
        SELECT r.project_id, r.id, 'many-' || r.version || '-' || letter || '.whl', 'bdist_wheel', 'py3', 1,
               md5(''), md5('') || md5(''), md5(r.version) || md5(letter), now()
          FROM releases r, unnest('{c,a,b}'::text[]) letter"""


async def test_nothing_published(new_index: Index) -> None:
    """A project that has no releases, or is in quarantine, has no document, and nor have its releases."""
    new_index.sql(MANY)
    new_index.sql(
        "UPDATE projects SET status = 'quarantined';"
        "INSERT INTO projects (name, normalized, look_alike, created) VALUES ('none', 'none', '', now())"
    )
    for path in ("/pypi/many/json", "/pypi/many/1.1/json", "/pypi/none/json", "/pypi/many/json/"):
        assert (await new_index.ask(path)).status == 404, path


# Where it is


@pytest.mark.parametrize(
    "spelling", ["golden-cheese", "Golden.Cheese", "GOLDEN__CHEESE", "golden%2Dcheese", "g%6Flden.-_cheese"]
)
async def test_spellings_of_a_name(golden: Index, spelling: str) -> None:
    """Any spelling of a name is answered, without a redirect, out of one entry of the caches."""
    await until_kept(golden, "/pypi/golden-cheese/json")
    plain = await golden.ask("/pypi/golden-cheese/json")
    reply = await golden.ask(f"/pypi/{spelling}/json")
    assert (reply.status, reply.body, reply["ETag"]) == (200, plain.body, plain["ETag"])
    assert reply["Cache-Status"] == "cheeseshop-l1; hit"
    assert (await golden.ask(f"/pypi/{spelling}/1.10/json")).json()["info"]["version"] == "1.10"


@pytest.mark.parametrize(
    ("spelling", "version"),
    [
        ("1.10", "1.10"),
        ("1.10.0", "1.10"),
        ("v1.10", "1.10"),
        ("01.10.0.0", "1.10"),
        ("1!2.0rc1", "1!2.0rc1"),
        ("1!2-RC1", "1!2.0rc1"),
        ("1%212.0.0rc1", "1!2.0rc1"),
        ("2004d", "2004d"),
    ],
)
async def test_spellings_of_a_version(golden: Index, spelling: str, version: str) -> None:
    """A version is taken in any spelling that PEP 440 calls equal."""
    reply = await golden.ask(f"/pypi/golden-cheese/{spelling}/json")
    assert (reply.status, reply.json()["info"]["version"]) == (200, version)


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/pypi/golden-cheese/json/", "/pypi/golden-cheese/json"),
        ("/pypi/Golden.Cheese/json/", "/pypi/golden-cheese/json"),
        ("/pypi/Golden.Cheese/json/?a=b", "/pypi/golden-cheese/json"),
        ("/pypi/Golden.Cheese/1.10/json/", "/pypi/golden-cheese/1.10/json"),
        ("/pypi/golden_cheese/v1.10.0/json/", "/pypi/golden-cheese/1.10/json"),
        ("/pypi/golden-cheese/1!2.0rc1/json/", "/pypi/golden-cheese/1!2.0rc1/json"),
    ],
)
async def test_slash(golden: Index, path: str, location: str) -> None:
    """With a slash at its end an address leads, in one hop, to the one without, built from what is known."""
    reply = await golden.ask(path)
    assert (reply.status, reply["Location"]) == (301, location)
    assert reply["Cache-Control"] == "max-age=86400, public"
    assert (await golden.ask(location)).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/pypi/nobody/json",
        "/pypi/nobody/json/",
        "/pypi/nobody/1.0/json",
        "/pypi/nobody/1.0/json/",
        "/pypi/golden-cheese/9.9/json",
        "/pypi/golden-cheese/9.9/json/",
        "/pypi/golden-cheese/caf%C3%A9/json",
        "/pypi/caf%C3%A9/json",
        "/pypi/%25/json",
        "/pypi/a%23b/json",
        "/pypi/'%20OR%20true/json",
        f"/pypi/{'a' * 3000}/json",
        f"/pypi/golden-cheese/{'1' * 3000}/json",
    ],
)
@pytest.mark.parametrize("accept", ["*/*", "text/html"])
async def test_nothing_there(golden: Index, path: str, accept: str) -> None:
    """What is not there is said in JSON, without a redirect, also to pages of other origins."""
    reply = await golden.ask(path, {"Accept": accept})
    assert (reply.status, reply.reason, reply.body) == (404, "Not Found", b'{"message": "Not Found"}')
    assert reply["Content-Type"] == "application/json"
    assert reply["Cache-Control"] == "private, no-store"
    assert {name: reply.headers[name] for name in CORS} == CORS
    assert "X-PyPI-Last-Serial" not in reply


@pytest.mark.parametrize("path", ["/pypi/a%00b/json", "/pypi/a/1%0a/json", "/pypi/%ff/json"])
async def test_bytes_that_are_no_path(golden: Index, path: str) -> None:
    """Control characters and what is not UTF-8 are nobody's name."""
    assert (await golden.ask(path)).status == 400


async def test_what_was_not_there(index: Index, name: str) -> None:
    """An address where nothing was is found as soon as something is published there."""
    assert (await index.ask(f"/pypi/{name}/json")).status == 404
    assert (await index.ask(f"/pypi/{name}/1.0/json")).status == 404
    await index.upload(wheel(name), wheel_filename(name))
    assert (await index.ask(f"/pypi/{name}/json")).status == 200
    assert (await index.ask(f"/pypi/{name}/1.0/json")).status == 200


async def test_yanked_at_once(index: Index, name: str) -> None:
    """A yanked release is shown as such at once, and another becomes the latest."""
    for version in ("1.0", "1.1"):
        await index.upload(wheel(name, version), wheel_filename(name, version))
    assert (await index.ask(f"/pypi/{name}/json")).json()["info"]["version"] == "1.1"
    await index.application.yanks.yank(OPERATOR, name, "1.1", "no good")
    document = (await index.ask(f"/pypi/{name}/json")).json()
    assert document["info"]["version"] == "1.0"
    assert document["releases"]["1.1"][0]["yanked_reason"] == "no good"
    assert (await index.ask(f"/pypi/{name}/1.1/json")).json()["info"]["yanked"] is True


# How it is kept


DOCUMENTS = ["/pypi/golden-cheese/json", "/pypi/golden-cheese/1.10/json"]


@pytest.mark.parametrize("path", DOCUMENTS)
async def test_headers(golden: Index, path: str) -> None:
    """Exactly these headers stand on a document."""
    reply = await golden.ask(path)
    assert reply["ETag"]
    assert {name: value for name, value in reply.headers.items() if name not in ("etag", "cache-status")} == {
        **CORS,
        "cache-control": "max-age=0, public, must-revalidate",
        "content-length": str(len(reply.body)),
        "content-type": "application/json",
        "vary": "Accept-Encoding",
        "x-content-type-options": "nosniff",
        "x-pypi-last-serial": "11",
    }


@pytest.mark.parametrize("path", DOCUMENTS)
@pytest.mark.parametrize("encoding", [None, "gzip"])
async def test_head_and_revalidation(golden: Index, path: str, encoding: str | None) -> None:
    """HEAD is GET without the body; whoever has the document already is told so."""
    headers = {"Accept-Encoding": encoding}
    got, headed = await golden.ask(path, headers), await golden.ask(path, headers, method="HEAD")
    assert (headed.status, headed.body) == (200, b"")
    assert headed["ETag"] == got["ETag"]
    assert (await golden.ask(path, {**headers, "If-None-Match": got["ETag"]})).status == 304
    plain = await golden.ask(path)
    assert (gzip.decompress(got.body) if encoding else got.body) == plain.body


async def test_query(golden: Index) -> None:
    """Nothing in the query means anything: there is no JSONP."""
    plain = await golden.ask("/pypi/golden-cheese/json")
    for query in ("?callback=evil", "?version=1.9", "?:action=logout", "?"):
        reply = await golden.ask(f"/pypi/golden-cheese/json{query}")
        assert (reply.status, reply.body) == (200, plain.body), query


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST"])
async def test_other_methods(golden: Index, method: str) -> None:
    """A document is read; any other method is answered with those that do."""
    for path in DOCUMENTS:
        reply = await golden.ask(path, method=method)
        assert (reply.status, reply["Allow"]) == (405, "GET, HEAD, OPTIONS")


async def test_preflight(golden: Index) -> None:
    """A browser that asks whether a page of another origin may read a document is told that it may."""
    headers = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    reply = await golden.ask("/pypi/golden-cheese/json", method="OPTIONS", headers=headers)
    assert (reply.status, reply["Access-Control-Allow-Origin"]) == (204, "*")
    assert "If-None-Match" in reply["Access-Control-Allow-Headers"]
