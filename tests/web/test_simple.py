"""``/simple/`` as installers read it: what it says, in which form, and how it is kept."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_twisted

from tests.support.archives import sdist, sdist_filename, wheel, wheel_filename
from tests.support.databases import Databases
from tests.support.index import Index, running

SETTINGS = {"service__origin": "https://index.example"}

GOLDEN = Path(__file__).parents[1] / "golden" / "simple"

HTML = "text/html"
V1_HTML = "application/vnd.pypi.simple.v1+html"
V1_JSON = "application/vnd.pypi.simple.v1+json"
LATEST_HTML = "application/vnd.pypi.simple.latest+html"
LATEST_JSON = "application/vnd.pypi.simple.latest+json"
CONTENT_TYPE = {HTML: "text/html; charset=utf-8", V1_HTML: f"{V1_HTML}; charset=utf-8", V1_JSON: V1_JSON}

PIP = f"{V1_JSON}, {V1_HTML}; q=0.1, text/html; q=0.01"
UV = f"{V1_JSON}, {V1_HTML};q=0.2, text/html;q=0.01"

CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET",
    "access-control-expose-headers": "X-PyPI-Last-Serial",
    "access-control-max-age": "86400",
}

CATALOGUE = """
    INSERT INTO projects (name, normalized, look_alike, status, status_reason, last_serial, created) VALUES
        ('Golden.Cheese', 'golden-cheese', '', 'active', '', 12, now()),
        ('archived', 'archived', '', 'archived', 'Kept for <history>, "mostly"', 13, now()),
        ('poison', 'poison', '', 'quarantined', '', 14, now()),
        ('Empty_One', 'empty-one', '', 'deprecated', '', 9, now());
    INSERT INTO journal (serial, normalized, action, tags, at) VALUES (15, NULL, 'anything', '{}', now());
    INSERT INTO releases
        (project_id, version, canonical, is_prerelease, metadata, yanked, yanked_reason, created)
        SELECT p.id, v, v, false, '{}', y::timestamptz, reason, now() FROM (VALUES
            ('golden-cheese', '10.0', NULL, ''),
            ('golden-cheese', '9.0', NULL, ''),
            ('golden-cheese', '9.1', '2026-01-01', ''),
            ('golden-cheese', '9.2', '2026-01-01', 'whole "release" & all'),
            ('golden-cheese', '11.0', NULL, ''),
            ('golden-cheese', '2004d', NULL, ''),
            ('archived', '1', NULL, ''),
            ('poison', '1', NULL, '')
        ) AS given (project, v, y, reason) JOIN projects p ON p.normalized = project;
    INSERT INTO files (project_id, release_id, filename, filetype, python_version, size, md5, sha256,
                       blake2_256, metadata_sha256, requires_python, yanked, yanked_reason, uploaded)
        SELECT p.id, r.id, filename, 'sdist', 'source', number * 1000, repeat('0', 32),
               repeat(to_char(number, 'FM00'), 32), repeat(to_char(number, 'FM00'), 32),
               CASE WHEN has_metadata THEN repeat('ab', 32) END, python, y::timestamptz, reason,
               at::timestamptz
          FROM (VALUES
            (1, 'golden-cheese', '10.0', 'golden_cheese-10.0-py3-none-any.whl', true, '>=3.8,<4', NULL, '',
             '2026-02-03 04:05:06.000789+00'),
            (2, 'golden-cheese', '10.0', 'golden_cheese-10.0.tar.gz', false, '', NULL, '',
             '2026-02-03 04:05:06+00'),
            (3, 'golden-cheese', '9.0', 'golden_cheese-9.0-py3-none-any.whl', true, '', '2026-03-03',
             'broken "badly" & <soon>', '2026-02-03 05:05:06.5+01'),
            (4, 'golden-cheese', '9.0', 'golden_cheese-9.0.tar.gz', false, '>=3.8', '2026-03-03', '',
             '2025-02-03 04:05:06+00'),
            (5, 'golden-cheese', '9.1', 'golden_cheese-9.1.tar.gz', false, '', NULL, '',
             '2025-02-03 04:05:06+00'),
            (6, 'golden-cheese', '9.2', 'golden_cheese-9.2+local!~.tar.gz', false, '', NULL, '',
             '2025-02-03 04:05:06+00'),
            (7, 'golden-cheese', '2004d', 'golden_cheese-2004d.tar.gz', false, '', NULL, '',
             '2004-02-03 04:05:06+00'),
            (8, 'archived', '1', 'archived-1.tar.gz', false, '', NULL, '', '2025-02-03 04:05:06+00'),
            (9, 'poison', '1', 'poison-1.tar.gz', false, '', NULL, '', '2025-02-03 04:05:06+00')
        ) AS given (number, project, version, filename, has_metadata, python, y, reason, at)
        JOIN projects p ON p.normalized = project
        JOIN releases r ON r.project_id = p.id AND r.version = given.version"""


@pytest_twisted.async_yield_fixture(scope="module")
async def catalogue(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Index]:
    """An index with something of everything, written behind its back so that every byte is known."""
    url = databases.make()
    folder = tmp_path_factory.mktemp("catalogue")
    async with running(url, folder, service__origin="https://index.example") as made:
        made.sql(CATALOGUE)
        yield made
    databases.drop(url)


# What it says


@pytest.mark.parametrize(
    ("path", "recorded"),
    [
        ("/simple/", "list"),
        ("/simple/golden-cheese/", "golden-cheese"),
        ("/simple/archived/", "archived"),
        ("/simple/poison/", "quarantined"),
        ("/simple/empty-one/", "empty"),
    ],
)
@pytest.mark.parametrize(("accept", "ending"), [(V1_HTML, "html"), (V1_JSON, "json")])
async def test_whole_pages(catalogue: Index, path: str, recorded: str, accept: str, ending: str) -> None:
    """Pages are those of the recorded answers, byte for byte; the HTML is frozen (PEP 833)."""
    reply = await catalogue.ask(path, {"Accept": accept})
    assert reply.body == (GOLDEN / f"{recorded}.{ending}").read_bytes()


async def test_every_key_of_a_file(catalogue: Index) -> None:
    """Keys that a client may look for are always there, as what the standard says they are."""
    page = (await catalogue.ask("/simple/golden-cheese/", {"Accept": V1_JSON})).json()
    assert list(page) == sorted(page)
    for file in page["files"]:
        assert list(file) == sorted(file)
        assert file.keys() == {
            "filename",
            "url",
            "hashes",
            "requires-python",
            "size",
            "upload-time",
            "yanked",
            "core-metadata",
            "data-dist-info-metadata",
            "provenance",
        }
        assert file["core-metadata"] == file["data-dist-info-metadata"]
    by_name = {file["filename"]: file for file in page["files"]}
    assert by_name["golden_cheese-10.0.tar.gz"]["yanked"] is False
    assert by_name["golden_cheese-9.0.tar.gz"]["yanked"] is True
    assert by_name["golden_cheese-9.0-py3-none-any.whl"]["yanked"] == 'broken "badly" & <soon>'
    assert by_name["golden_cheese-9.1.tar.gz"]["yanked"] is True
    assert by_name["golden_cheese-9.2+local!~.tar.gz"]["yanked"] == 'whole "release" & all'
    assert by_name["golden_cheese-10.0.tar.gz"]["requires-python"] is None
    assert by_name["golden_cheese-10.0.tar.gz"]["core-metadata"] is False
    assert by_name["golden_cheese-10.0-py3-none-any.whl"]["core-metadata"] == {"sha256": "ab" * 32}


async def test_empty_index(new_index: Index) -> None:
    """An index without projects has a list without members, and serial 0."""
    as_json = await new_index.ask("/simple/", {"Accept": V1_JSON})
    assert as_json.body == b'{"meta":{"_last-serial":0,"api-version":"1.4"},"projects":[]}\n'
    as_html = await new_index.ask("/simple/", {"Accept": HTML})
    assert "<body>\n</body>\n</html>" in as_html.text
    assert as_html["X-PyPI-Last-Serial"] == as_json["X-PyPI-Last-Serial"] == "0"


async def test_upload_is_seen_at_once(index: Index, name: str) -> None:
    """A page shows a file as soon as its upload was answered, with the URLs of the configured origin."""
    data = wheel(name, headers=[("Requires-Python", ">=3.9")])
    uploaded = await index.upload(data, wheel_filename(name))
    reply = await index.ask(f"/simple/{name}/", {"Accept": V1_JSON})
    page = reply.json()
    assert page["versions"] == ["1.0"]
    [file] = page["files"]
    assert file["filename"] == wheel_filename(name)
    assert file["size"] == len(data)
    assert file["requires-python"] == ">=3.9"
    assert file["url"].startswith("https://index.example/packages/")
    assert reply["X-PyPI-Last-Serial"] == uploaded["X-PyPI-Last-Serial"] == str(page["meta"]["_last-serial"])
    downloaded = await index.ask(file["url"].removeprefix("https://index.example"))
    assert downloaded.body == data


async def test_every_link_works(index: Index, name: str) -> None:
    """What the page links to is there, with the metadata beside it where it says so."""
    for data, filename in (
        (wheel(name, "1!2.0"), wheel_filename(name, "1!2.0")),
        (sdist(name, "1!2.0"), sdist_filename(name, "1!2.0")),
    ):
        assert (await index.upload(data, filename)).status == 200, filename
    page = (await index.ask(f"/simple/{name}/", {"Accept": V1_JSON})).json()
    for file in page["files"]:
        path = file["url"].removeprefix("https://index.example")
        assert (await index.ask(path)).status == 200
        assert ((await index.ask(f"{path}.metadata")).status == 200) is bool(file["core-metadata"])


async def test_page_that_is_rendered_elsewhere(new_index: Index) -> None:
    """A page of many files, rendered in a thread, is the same page."""
    new_index.sql(
        "INSERT INTO projects (name, normalized, look_alike, created) "
        "SELECT 'p' || n, 'p' || n, '', now() FROM generate_series(1, 1000) n"
    )
    listed = (await new_index.ask("/simple/", {"Accept": V1_JSON})).json()["projects"]
    assert [one["name"] for one in listed] == sorted(f"p{number}" for number in range(1, 1001))
    page = await new_index.ask("/simple/")
    assert page.text.count("<a href=") == 1000


# In which form


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, HTML),
        ("", HTML),
        ("*/*", HTML),
        ("text/*", HTML),
        ("text/html", HTML),
        ("TEXT/HTML", HTML),
        ("application/*", V1_HTML),
        ("text/html;q=0, */*", V1_HTML),
        ("text/html;q=0, application/vnd.pypi.simple.v1+html;q=0, */*", V1_JSON),
        (V1_JSON, V1_JSON),
        (V1_HTML, V1_HTML),
        (f"{V1_HTML}, {V1_JSON}", V1_HTML),
        (f"{V1_JSON}, {V1_HTML}", V1_HTML),
        (f"{V1_JSON};q=0.5, {V1_HTML};q=0.4, */*;q=0.1", V1_JSON),
        (f"{V1_JSON};q=0.1, */*;q=0.5", HTML),
        (f"{V1_JSON} ; Q=0.9 , text/html ; q=0.8", V1_JSON),
        (f"{V1_JSON};q=0.001", V1_JSON),
        (f"{V1_JSON};q=1.000", V1_JSON),
        (f"{V1_JSON};charset=utf-8", V1_JSON),
        (PIP, V1_JSON),
        (UV, V1_JSON),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", HTML),
        (LATEST_JSON, V1_JSON),
        (LATEST_HTML, V1_HTML),
        (f"{LATEST_JSON}, text/html;q=0.5", V1_JSON),
        ("application/json", HTML),
        ("image/png", HTML),
        (f"{V1_JSON};q=0", HTML),
        ("*/*;q=0", HTML),
        ("nonsense", HTML),
        (";q=1,,/,*/html,a/b/c;q=", HTML),
        (f"{V1_JSON};q=2, text/html;q=0.1", HTML),
        (f"{V1_JSON};q=-1", HTML),
        (f"{V1_JSON};q=0.12345, text/html;q=0.1", HTML),
        (", ".join([V1_JSON] * 70), HTML),
        (f"{V1_JSON}, " + "x" * 5000, HTML),
    ],
)
async def test_negotiation(index: Index, accept: str | None, chosen: str) -> None:
    """The highest weight wins, of equals our order decides, and who takes nothing of ours gets HTML."""
    reply = await index.ask("/simple/", {"Accept": accept})
    assert (reply.status, reply["Content-Type"]) == (200, CONTENT_TYPE[chosen])
    assert (reply.body[:1] == b"{") is (chosen == V1_JSON)


async def test_accept_in_two_lines(index: Index) -> None:
    """An Accept header that came in two lines is one list."""
    reply = await index.ask("/simple/", [("Accept", V1_JSON), ("Accept", "text/html;q=0.5")])
    assert reply["Content-Type"] == V1_JSON


@pytest.mark.parametrize("escaped", [False, True])
@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        (HTML, HTML),
        (V1_HTML, V1_HTML),
        (V1_JSON, V1_JSON),
        (LATEST_HTML, V1_HTML),
        (LATEST_JSON, V1_JSON),
        ("", V1_HTML),
        ("json", V1_HTML),
        ("application/json", V1_HTML),
        (V1_JSON.upper(), V1_HTML),
    ],
)
async def test_format_in_the_url(index: Index, given: str, chosen: str, escaped: bool) -> None:
    """``?format=`` goes before Accept where it names something of ours, with its plus escaped or not."""
    value = given.replace("+", "%2B").replace("/", "%2F") if escaped else given
    reply = await index.ask(f"/simple/?format={value}", {"Accept": V1_HTML})
    assert (reply.status, reply["Content-Type"]) == (200, CONTENT_TYPE[chosen])


@pytest.mark.parametrize("query", ["?", "?x=y", "?format=%ff", "?format=a&format=b", "?=&&;"])
async def test_queries_that_mean_nothing(index: Index, query: str) -> None:
    """Whatever else stands in the query changes nothing."""
    plain, queried = await index.ask("/simple/"), await index.ask(f"/simple/{query}")
    assert (queried.status, queried.body) == (plain.status, plain.body)


# Where it is


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/simple", "/simple/"),
        ("/simple?format=x", "/simple/"),
        ("/simple/golden-cheese", "/simple/golden-cheese/"),
        ("/simple/Golden.Cheese", "/simple/golden-cheese/"),
        ("/simple/Golden.Cheese/", "/simple/golden-cheese/"),
        ("/simple/golden__-..cheese/", "/simple/golden-cheese/"),
        ("/simple/GOLDEN-CHEESE/?format=a%2Bb&x", "/simple/golden-cheese/"),
        ("/simple/GOLDEN-CHEESE/?x&format=text/html", "/simple/golden-cheese/?format=text/html"),
        ("/simple//", "/simple/"),
        ("//simple/", "/simple/"),
        ("/Simple/", "/simple/"),
        ("/simple//golden-cheese/", "/simple/golden-cheese/"),
        ("/simple/Golden.Cheese?a=b", "/simple/golden-cheese/"),
    ],
)
async def test_one_hop(catalogue: Index, path: str, location: str) -> None:
    """Every other spelling leads to the page in one permanent redirect; what means nothing is left behind."""
    reply = await catalogue.ask(path)
    assert (reply.status, reply["Location"]) == (301, location)
    assert (await catalogue.ask(location)).status == 200
    assert (await catalogue.ask(path, method="HEAD"))["Location"] == location


@pytest.mark.parametrize(
    "path",
    ["/simple/nobody/", "/simple/No.Body/", "/simple/golden-cheese-/", "/simple/caf%C3%A9/", "/simple/%25/"],
)
@pytest.mark.parametrize("accept", [None, "*/*", PIP, "application/json", "text/html"])
async def test_nothing_there(catalogue: Index, path: str, accept: str | None) -> None:
    """A project nobody has is a 404 in plain text that nobody keeps, for pages of other origins too."""
    reply = await catalogue.ask(path, {"Accept": accept})
    assert (reply.status, reply.reason) == (404, "Not Found")
    assert reply["Content-Type"] == "text/plain; charset=utf-8"
    assert reply.text.startswith("404 Not Found\n\nThere is no project named ")
    assert reply["Cache-Control"] == "private, no-store"
    assert reply["Access-Control-Allow-Origin"] == "*"
    assert "X-PyPI-Last-Serial" not in reply


@pytest.mark.parametrize(
    "path",
    ["/simple/a/b/", "/simple/a/b", "/simple/f/golden-cheese/", "/simple/x/../y/"],
)
async def test_paths_that_are_none(catalogue: Index, path: str) -> None:
    """What is not a page's path leads nowhere."""
    assert (await catalogue.ask(path)).status in (400, 404)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST"])
async def test_other_methods(catalogue: Index, method: str) -> None:
    """A page is read; any other method is answered with those that do."""
    reply = await catalogue.ask("/simple/golden-cheese/", method=method)
    assert (reply.status, reply["Allow"]) == (405, "GET, HEAD, OPTIONS")


async def test_preflight(catalogue: Index) -> None:
    """A browser that asks whether a page of another origin may read a page here is told that it may."""
    headers = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    reply = await catalogue.ask("/simple/golden-cheese/", method="OPTIONS", headers=headers)
    assert (reply.status, reply["Access-Control-Allow-Origin"]) == (204, "*")
    assert "If-None-Match" in reply["Access-Control-Allow-Headers"]


async def test_other_methods_of_the_list(catalogue: Index) -> None:
    """The list also takes uploads, and says so."""
    reply = await catalogue.ask("/simple/", method="PUT")
    assert (reply.status, reply["Allow"]) == (405, "GET, HEAD, OPTIONS, POST")


# How it is kept


PAGES = ["/simple/", "/simple/golden-cheese/"]
SEEN_ABOVE = {"etag", "cache-status"}


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("accept", [HTML, V1_HTML, V1_JSON])
async def test_headers(catalogue: Index, path: str, accept: str) -> None:
    """Exactly these headers stand on a page."""
    reply = await catalogue.ask(path, {"Accept": accept})
    assert reply["ETag"]
    assert reply["Cache-Status"]
    assert {name: value for name, value in reply.headers.items() if name not in SEEN_ABOVE} == {
        **CORS,
        "cache-control": "max-age=0, public, must-revalidate",
        "content-length": str(len(reply.body)),
        "content-security-policy": "default-src 'none'; sandbox allow-top-navigation",
        "content-type": CONTENT_TYPE[accept],
        "vary": "Accept, Accept-Encoding" if len(reply.body) >= 512 else "Accept",
        "x-content-type-options": "nosniff",
        "x-pypi-last-serial": "15" if path == "/simple/" else "12",
    }


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("accept", [HTML, V1_JSON])
async def test_head(catalogue: Index, path: str, accept: str) -> None:
    """HEAD is GET without the body."""
    for encoding in (None, "gzip"):
        headers = {"Accept": accept, "Accept-Encoding": encoding}
        got, headed = await catalogue.ask(path, headers), await catalogue.ask(path, headers, method="HEAD")
        assert (headed.status, headed.headers, headed.body) == (got.status, got.headers, b"")


async def test_gzip(catalogue: Index) -> None:
    """Who takes gzip gets gzip, under a validator of its own; who does not, does not."""
    path = "/simple/golden-cheese/"
    plain = await catalogue.ask(path)
    for encodings in ("gzip", "gzip, deflate, br", "br;q=1, gzip;q=0.1", "*", "GZIP", "x-gzip"):
        packed = await catalogue.ask(path, {"Accept-Encoding": encodings})
        assert packed["Content-Encoding"] == "gzip", encodings
        assert gzip.decompress(packed.body) == plain.body
        assert len(packed.body) < len(plain.body)
        assert packed["ETag"] != plain["ETag"]
    for encodings in ("identity", "gzip;q=0", "gzip;q=0, *", "br", "*;q=0", "", "gzip;q=x"):
        reply = await catalogue.ask(path, {"Accept-Encoding": encodings})
        assert "Content-Encoding" not in reply, encodings
        assert (reply.body, reply["ETag"]) == (plain.body, plain["ETag"])


OF_BODIES = ("content-type", "content-length", "content-encoding")


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
@pytest.mark.parametrize("accept", [HTML, V1_HTML, V1_JSON])
async def test_revalidation(catalogue: Index, accept: str, encoding: str) -> None:
    """Whoever has the page already is told so, by a validator that is strong and of that very form."""
    path, headers = "/simple/golden-cheese/", {"Accept": accept, "Accept-Encoding": encoding}
    first = await catalogue.ask(path, headers)
    etag = first["ETag"]
    assert etag.startswith('"')
    for given in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        for method in ("GET", "HEAD"):
            again = await catalogue.ask(path, {**headers, "If-None-Match": given}, method=method)
            assert (again.status, again["ETag"]) == (304, etag)
            # Where it comes from may differ: the first to ask, or one who asks in doubt, has it made.
            wanted = {name: value for name, value in first.headers.items() if name not in OF_BODIES}
            assert again.headers | {"cache-status": ""} == wanted | {"cache-status": ""}
    for given in ('"other"', etag[:-1], etag.strip('"'), ""):
        assert (await catalogue.ask(path, {**headers, "If-None-Match": given})).status == 200


async def test_validators_in_two_lines(catalogue: Index) -> None:
    """An If-None-Match header that came in two lines is one list."""
    path = "/simple/golden-cheese/"
    etag = (await catalogue.ask(path))["ETag"]
    reply = await catalogue.ask(path, [("If-None-Match", etag), ("If-None-Match", '"other"')])
    assert reply.status == 304


async def test_validators_differ_between_forms(new_index: Index) -> None:
    """Different bytes have different validators; a change of the page is a change of all of them."""

    new_index.sql(CATALOGUE)

    async def validators() -> set[str]:
        return {
            (await new_index.ask("/simple/golden-cheese/", {"Accept": accept, "Accept-Encoding": encoding}))[
                "ETag"
            ]
            for accept in (HTML, V1_JSON)
            for encoding in ("identity", "gzip")
        }

    before = await validators()
    assert len(before) == 4
    new_index.sql("UPDATE projects SET last_serial = 16 WHERE normalized = 'golden-cheese'")
    new_index.application.caches.ladder.memory.forget_all()  # nobody has told it of this change
    assert not await validators() & before


async def test_refusals_are_no_pages(catalogue: Index) -> None:
    """A precondition says nothing about what is not there."""
    reply = await catalogue.ask("/simple/nobody/", {"If-None-Match": "*"})
    assert reply.status == 404
