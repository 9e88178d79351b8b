"""Uploads that succeed: what is answered, and what the index remembers afterwards."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.archives import core_metadata, sdist, sdist_filename, wheel, wheel_filename
from tests.support.databases import Databases
from tests.support.forms import CONTENT_TYPE, Part, multipart, upload_parts
from tests.support.index import OWNER, Index, basic, running

RICH = [
    ("Summary", "Cheese, sliced"),
    ("Author-email", "Ada <ada@people.example>"),
    ("Classifier", "Programming Language :: Python :: 3"),
    ("Classifier", "Private :: Ours"),
    ("Requires-Dist", "attrs>=25"),
    ("Requires-Python", ">=3.8"),
    ("Project-URL", "Home, https://cheese.example/"),
    ("Description-Content-Type", "text/markdown"),
]


async def test_a_wheel(new_index: Index) -> None:
    """A wheel is stored whole, with its metadata beside it, and everything about it is written down."""
    inside = core_metadata("Cheese-Slicer", headers=RICH, description="# Cheese\n")
    data, filename = wheel("Cheese-Slicer", metadata=inside), "cheese_slicer-1.0-py3-none-any.whl"
    reply = await new_index.upload(data, filename, name="Cheese-Slicer", summary="Cheese, sliced")
    assert (reply.status, reply.reason, reply.text) == (200, "OK", f"{filename} is published.\n")
    assert reply["X-PyPI-Last-Serial"] == "4"
    assert reply["Cache-Control"] == "private, no-store"

    blake2, sha256 = hashlib.blake2b(data, digest_size=32).hexdigest(), hashlib.sha256(data).hexdigest()
    path = f"{blake2[:2]}/{blake2[2:4]}/{blake2[4:]}/{filename}"
    stored = {path: digest for path, digest in new_index.state().files.items() if digest != "folder"}
    assert stored == {path: sha256, f"{path}.metadata": hashlib.sha256(inside).hexdigest()}

    assert new_index.sql("SELECT name, normalized, look_alike, status, last_serial FROM projects") == [
        ("Cheese-Slicer", "cheese-slicer", "cheeses11cer", "active", 4)
    ]
    [(version, canonical, is_prerelease, summary, metadata)] = new_index.sql(
        "SELECT version, canonical, is_prerelease, summary, metadata FROM releases"
    )
    assert (version, canonical, is_prerelease, summary) == ("1.0", "1", False, "Cheese, sliced")
    assert metadata == {
        "metadata_version": "2.4",
        "name": "Cheese-Slicer",
        "version": "1.0",
        "summary": "Cheese, sliced",
        "author_email": "Ada <ada@people.example>",
        "classifiers": ["Programming Language :: Python :: 3", "Private :: Ours"],
        "requires_dist": ["attrs>=25"],
        "requires_python": ">=3.8",
        "project_urls": [["Home", "https://cheese.example/"]],
        "description_content_type": "text/markdown",
    }
    assert new_index.sql("SELECT content_type, raw FROM descriptions") == [("text/markdown", "# Cheese\n")]
    assert sorted(
        new_index.sql("SELECT name FROM classifiers JOIN release_classifiers ON id = classifier_id")
    ) == [
        ("Private :: Ours",),
        ("Programming Language :: Python :: 3",),
    ]
    assert new_index.sql(
        "SELECT filename, filetype, python_version, size, md5, sha256, blake2_256, metadata_sha256, "
        "requires_python, u.name FROM files JOIN users u ON u.id = uploader_id"
    ) == [
        (
            filename,
            "bdist_wheel",
            "py3",
            len(data),
            hashlib.md5(data).hexdigest(),
            sha256,
            blake2,
            hashlib.sha256(inside).hexdigest(),
            ">=3.8",
            OWNER,
        )
    ]
    assert new_index.sql("SELECT filename, canonical, sha256, blake2_256 FROM filenames") == [
        (filename, "cheese-slicer-1--py3-none-any.whl", sha256, blake2)
    ]


async def test_what_is_said_of_it(new_index: Index) -> None:
    """The journal has a line for each change, in order, and one errand tells the caches."""
    await new_index.upload(wheel("demo"), "demo-1.0-py3-none-any.whl")
    await new_index.upload(sdist("demo"), "demo-1.0.tar.gz")
    assert new_index.sql("SELECT serial, name, version, action, actor FROM journal ORDER BY serial") == [
        (1, "demo", None, "create", OWNER),
        (2, "demo", None, f"add Owner {OWNER}", OWNER),
        (3, "demo", "1.0", "new release", OWNER),
        (4, "demo", "1.0", "add py3 file demo-1.0-py3-none-any.whl", OWNER),
        (5, "demo", "1.0", "add source file demo-1.0.tar.gz", OWNER),
    ]
    assert new_index.sql("SELECT serial, kind, payload FROM outbox ORDER BY id") == [
        (4, "purge", {"tags": ["all-projects", "journal", "project/demo", "search", f"user/{OWNER}"]}),
        (5, "purge", {"tags": ["all-projects", "journal", "project/demo", "search"]}),
    ]


async def test_an_sdist(index: Index, name: str) -> None:
    """A source distribution has no metadata file beside it; its PKG-INFO is what the release shows."""
    data, filename = sdist(name, headers=[("Summary", "From PKG-INFO")]), sdist_filename(name)
    assert (await index.upload(data, filename)).status == 200
    assert index.sql(
        "SELECT f.filetype, f.python_version, f.metadata_sha256, r.summary "
        f"FROM files f JOIN releases r ON r.id = f.release_id WHERE filename = '{filename}'"
    ) == [("sdist", "source", None, "From PKG-INFO")]


async def test_further_files_of_a_release(index: Index, name: str) -> None:
    """The first file makes the release; later ones bring their own demands on Python and nothing else."""
    first = wheel(name, headers=[("Summary", "First"), ("Requires-Python", ">=3.8")])
    second = sdist(name, headers=[("Summary", "Second"), ("Requires-Python", ">=3.9")])
    shown = name.upper()
    assert (await index.upload(first, wheel_filename(name))).status == 200
    assert (await index.upload(second, sdist_filename(name), name=shown)).status == 200
    assert index.sql(
        "SELECT p.name, r.summary, f.requires_python FROM files f JOIN projects p ON p.id = f.project_id "
        f"JOIN releases r ON r.id = f.release_id WHERE normalized = '{name}' ORDER BY f.id"
    ) == [(shown, "First", ">=3.8"), (shown, "First", ">=3.9")]


async def test_another_spelling_of_the_version(index: Index, name: str) -> None:
    """A file of 1.0.0 belongs to the release 1.0."""
    assert (await index.upload(wheel(name), wheel_filename(name))).status == 200
    assert (await index.upload(sdist(name, "1.0.0"), sdist_filename(name, "1.0.0"))).status == 200
    page = (await index.ask(f"/simple/{name}/?format=application/vnd.pypi.simple.v1+json")).json()
    assert page["versions"] == ["1.0"]
    assert len(page["files"]) == 2


async def test_repetition(index: Index, name: str) -> None:
    """The very same file again is no mistake and changes nothing."""
    data, filename = wheel(name), wheel_filename(name)
    assert (await index.upload(data, filename)).status == 200
    before = index.state()
    again = await index.upload(data, filename)
    assert (again.status, again.text) == (200, f"{filename} was already on the index.\n")
    assert "X-PyPI-Last-Serial" not in again
    assert not index.state() - before


async def test_formats_of_success(index: Index, name: str) -> None:
    """Programs that ask for JSON get it, with the warnings of the archive's inspection."""
    data = wheel(name, wheel_file=b"Wheel-Version: 1.0\nTag: py2-none-any\n")
    reply = await index.upload(
        data, wheel_filename(name), accept="application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7"
    )
    assert reply["Content-Type"] == "application/json"
    assert reply.json() == {
        "message": f"{wheel_filename(name)} is published.",
        "code": "200 OK",
        "title": "OK",
        "warnings": ["The tags in WHEEL are not those of the filename."],
    }
    data = wheel(name, "2.0", wheel_file=b"Wheel-Version: 1.0\nTag: py2-none-any\n")
    reply = await index.upload(data, wheel_filename(name, "2.0"))
    assert reply["Content-Type"] == "text/plain; charset=utf-8"
    assert reply.text.splitlines()[1:] == ["Warning: The tags in WHEEL are not those of the filename."]


# Who uploads


async def test_first_uploader_owns(index: Index, name: str) -> None:
    """Whoever uploads a name first becomes its owner."""
    assert (await index.upload(wheel(name), wheel_filename(name))).status == 200
    assert roles(index, name) == [(OWNER, "Owner")]


@pytest.mark.parametrize("role", ["Owner", "Maintainer"])
async def test_roles_that_upload(index: Index, name: str, role: str) -> None:
    """Every owner and maintainer uploads, and stays what they are."""
    await index.add_user(f"bob.{name}")
    assert (await index.upload(wheel(name), wheel_filename(name))).status == 200
    index.sql(
        f"INSERT INTO roles (project_id, user_id, role, created) SELECT p.id, u.id, '{role}', now() "
        f"FROM projects p, users u WHERE p.normalized = '{name}' AND u.name = 'bob.{name}'"
    )
    reply = await index.upload(sdist(name), sdist_filename(name), auth=index.auth(f"bob.{name}"))
    assert reply.status == 200
    assert roles(index, name) == [(OWNER, "Owner"), (f"bob.{name}", role)]


def roles(index: Index, name: str) -> list[tuple[object, ...]]:
    return index.sql(
        "SELECT u.name, r.role FROM roles r JOIN users u ON u.id = r.user_id "
        f"JOIN projects p ON p.id = r.project_id WHERE p.normalized = '{name}' ORDER BY u.id"
    )


async def test_deprecated_project(index: Index, name: str) -> None:
    """A deprecated project still takes files (PEP 792)."""
    assert (await index.upload(wheel(name), wheel_filename(name))).status == 200
    index.sql(f"UPDATE projects SET status = 'deprecated' WHERE normalized = '{name}'")
    assert (await index.upload(sdist(name), sdist_filename(name))).status == 200


async def test_ways_to_prove_who_one_is(index: Index, name: str) -> None:
    """A password, or a token in any of the ways clients send it; the token notes that it was used."""
    await index.add_user(f"pat.{name}", password="correct horse")
    token = await index.application.accounts.add_token(f"pat.{name}")
    ways = [
        basic(f"pat.{name}", "correct horse"),
        basic(f"PAT.{name}", "correct horse"),
        basic("__token__", token),
        basic("__token__", f" {token}\n"),
        f"Bearer {token}",
        f"token {token}",
    ]
    for number, auth in enumerate(ways):
        data, filename = wheel(name, str(number)), wheel_filename(name, str(number))
        assert (await index.upload(data, filename, auth=auth)).status == 200, auth
    [(last_used,)] = index.sql(f"SELECT last_used FROM tokens WHERE id = '{token.split('-')[1]}'")
    assert last_used is not None


# Forms of clients


@pytest.mark.parametrize("address", ["/legacy/", "/legacy", "/simple/", "/legacy/?:action=file_upload"])
async def test_addresses(index: Index, name: str, address: str) -> None:
    """Uploads are taken where clients are configured to send them, without a redirect."""
    action = None if "?" in address else "file_upload"
    assert (await index.upload(wheel(name), wheel_filename(name), to=address, action=action)).status == 200


async def test_address_in_a_browser(index: Index) -> None:
    """Whoever opens the address of uploads is told what it is for."""
    reply = await index.ask("/legacy/")
    assert (reply.status, reply.body) == (
        200,
        b"Upload tools such as twine and uv send packages to this address.\n",
    )


@pytest.mark.parametrize("field", ["md5_digest", "sha256_digest", "blake2_256_digest"])
@pytest.mark.parametrize("case", [str.lower, str.upper])
async def test_one_digest_is_enough(index: Index, name: str, field: str, case: type[str]) -> None:
    """Any one of the three digests, in capitals or not, vouches for the bytes."""
    data = wheel(name)
    digests = {
        "md5_digest": hashlib.md5(data).hexdigest(),
        "sha256_digest": hashlib.sha256(data).hexdigest(),
        "blake2_256_digest": hashlib.blake2b(data, digest_size=32).hexdigest(),
    }
    sent = {other: case(digest) if other == field else None for other, digest in digests.items()}
    assert (await index.upload(data, wheel_filename(name), **sent)).status == 200


def as_flit_sends_it(parts: Sequence[Part]) -> Sequence[Part]:
    """Without a Content-Type for the file, and the file before the rest."""
    file = parts[-1]
    return [Part("content", file.value, file.filename), *parts[:-1]]


def with_nothing_said(parts: Sequence[Part]) -> Sequence[Part]:
    """With distutils' word for nothing, and fields nobody knows."""
    return [
        Part("summary", b"UNKNOWN"),
        Part("home_page", b""),
        Part("platform", b"UNKNOWN"),
        Part("license_files", b"LICENSE"),
        Part("unheard_of", b"x"),
        Part("gpg_signature", b"-----BEGIN", "demo.asc"),
        *parts,
    ]


@pytest.mark.parametrize("alter", [as_flit_sends_it, with_nothing_said])
async def test_forms_of_other_tools(index: Index, name: str, alter: object) -> None:
    """Order, missing types and meaningless fields of a form do not matter."""
    assert (await index.upload(wheel(name), wheel_filename(name), alter=alter)).status == 200  # type: ignore[arg-type]


async def test_sdist_without_pyversion(index: Index, name: str) -> None:
    """flit says nothing of Python for a source distribution."""
    assert (await index.upload(sdist(name), sdist_filename(name), pyversion=None)).status == 200


async def test_body_in_chunks(index: Index, name: str) -> None:
    """A body whose length is not announced is taken, too."""
    body = multipart(upload_parts(wheel(name), wheel_filename(name), {}))
    chunks = [body[at : at + 100] for at in range(0, len(body), 100)]
    framed = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    headers = {
        "Authorization": index.auth(),
        "Content-Type": CONTENT_TYPE,
        "Transfer-Encoding": "chunked",
    }
    assert (await index.ask("/legacy/", headers, method="POST", body=framed)).status == 200


async def test_longer_metadata(index: Index, name: str) -> None:
    """The whole form twine sends for rich metadata agrees with the file it was made from."""
    inside = core_metadata(name, headers=RICH, description="# Cheese\n\nSliced.\n")
    reply = await index.upload(
        wheel(name, metadata=inside),
        wheel_filename(name),
        summary="Cheese, sliced",
        author_email="Ada <ada@people.example>",
        classifiers=["Private :: Ours", "Programming Language :: Python :: 3"],
        requires_dist="attrs >= 25",
        requires_python=">=3.8",
        project_urls="Home, https://cheese.example/",
        description_content_type="text/markdown",
        description="# Cheese\r\n\r\nSliced.\r\n",
    )
    assert (reply.status, json.dumps(reply.text)) == (
        200,
        json.dumps(f"{wheel_filename(name)} is published.\n"),
    )


async def test_zip_sdist_where_they_are_taken(databases: Databases, tmp_path: Path) -> None:
    """An operator may take source distributions in zip archives; there is still one to a release."""
    url = databases.make()
    async with running(url, tmp_path, uploads__zip_sdists=True) as index:
        assert (await index.upload(sdist(ending=".zip"), "demo-1.0.zip")).status == 200
        page = await index.ask("/simple/demo/")
        assert ">demo-1.0.zip</a>" in page.text
        before = index.state()
        reply = await index.upload(sdist(), "demo-1.0.tar.gz")
        assert reply.status == 400
        assert reply.reason == "Only one sdist may be uploaded per release ('demo-1.0.zip' is there)."
        assert not index.state() - before
    databases.drop(url)
