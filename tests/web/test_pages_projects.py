"""Pages of projects and releases: what they show, where they are, and that nothing in them is executed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.archives import core_metadata, wheel, wheel_filename
from tests.support.index import Index
from tests.web.test_pages import Reader

SETTINGS = {"service__origin": "https://index.example"}

EVIL = '"><script>alert(1)</script>'


async def publish(index: Index, name: str, version: str = "1.0", headers: Any = (), text: str = "") -> None:
    metadata = core_metadata(name, version, headers=headers, description=text)
    reply = await index.upload(
        wheel(name, version, metadata=metadata), wheel_filename(name, version), name=name
    )
    assert reply.status == 200, reply.text


async def test_content(index: Index, name: str) -> None:
    """A page shows what is known of the latest release, its files, and all other releases."""
    await publish(index, name, "0.9")
    await publish(
        index,
        name,
        "1.0",
        [
            ("Summary", "Ripe cheese"),
            ("Requires-Python", ">=3.9"),
            ("License-Expression", "MIT"),
            ("Home-page", "https://cheese.example/"),
            ("Project-URL", "Issues, https://issues.example/?a=b&c"),
            ("Requires-Dist", 'wine; extra == "party"'),
            ("Provides-Extra", "party"),
            ("Description-Content-Type", "text/markdown"),
        ],
        "# A *title*\n",
    )
    page = await index.ask(f"/project/{name}/")
    assert (page.status, page["Content-Type"]) == (200, "text/html; charset=utf-8")
    [file] = (await index.ask(f"/pypi/{name}/json")).json()["urls"]
    for shown in (
        f"<title>{name} 1.0 · Cheeseshop</title>",
        f"<h1>{name} 1.0</h1>",
        "<p>Ripe cheese</p>",
        f"<code>pip install --index-url https://index.example/simple/ {name}</code>",
        "<code>&gt;=3.9</code>",
        "<dd>MIT</dd>",
        '<a href="https://cheese.example/" rel="nofollow noopener ugc">Homepage</a>',
        '<a href="https://issues.example/?a=b&amp;c" rel="nofollow noopener ugc">Issues</a>',
        "<dd>ada</dd>",
        "<code>wine; extra == &#34;party&#34;</code>",
        "A <em>title</em>",
        f'<a href="{file["url"]}">{file["filename"]}</a>',
        f"<td>{file['size'] / 1024:.1f} KB</td>",
        f"<code>{file['digests']['sha256']}</code>",
        f'<a href="/project/{name}/0.9/">0.9</a>',
    ):
        assert shown in page.text, shown
    older = await index.ask(f"/project/{name}/0.9/")
    assert f"<h1>{name} 0.9</h1>" in older.text
    assert f"/simple/ {name}==0.9</code>" in older.text
    assert "The author of this release has written none." in older.text


async def test_at_once(index: Index, name: str) -> None:
    """A page shows a publication and a yank as soon as they were acknowledged."""
    assert (await index.ask(f"/project/{name}/")).status == 404
    await publish(index, name)
    assert f"<h1>{name} 1.0</h1>" in (await index.ask(f"/project/{name}/")).text
    await publish(index, name, "1.1")
    assert f"<h1>{name} 1.1</h1>" in (await index.ask(f"/project/{name}/")).text
    await index.application.yanks.yank("ada", name, "1.1", "no <good>")
    page = await index.ask(f"/project/{name}/")
    assert f"<h1>{name} 1.0</h1>" in page.text
    assert "1.1</a> <time" in page.text
    assert "</time> (yanked)" in page.text
    yanked = await index.ask(f"/project/{name}/1.1/")
    assert "<strong>This release was yanked</strong>" in yanked.text
    assert "Reason: no &lt;good&gt;" in yanked.text


async def test_escaping(index: Index, name: str) -> None:
    """What people wrote is text: nothing of it is markup, and only addresses of the web become links."""
    await publish(
        index,
        name,
        headers=[
            ("Summary", EVIL),
            ("Author", EVIL),
            ("License", EVIL),
            ("Project-URL", f"{EVIL[:20]}, https://a.example/"),
            ("Description-Content-Type", "text/plain"),
        ],
        text=EVIL,
    )
    index.sql(
        f"UPDATE projects SET status = 'archived', status_reason = '{EVIL}' WHERE name = '{name}';"
        f"UPDATE releases SET yanked = now(), yanked_reason = '{EVIL}',"
        ' metadata = metadata || \'{"home_page": "javascript:alert(1)"}\''
        f" FROM projects p WHERE p.id = project_id AND p.name = '{name}';"
        f"UPDATE descriptions SET html = NULL FROM releases r JOIN projects p ON p.id = r.project_id"
        f" WHERE r.id = release_id AND p.name = '{name}'"
    )
    page = (await index.ask(f"/project/{name}/")).text
    assert "<script" not in page
    assert "javascript:" not in page
    assert page.count("&lt;script&gt;") >= 5
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    assert "script" not in reader.seen
    assert not any(attribute.startswith("on") or attribute == "style" for attribute in reader.attributes)


@pytest.mark.parametrize("kind", ["project", "release"])
async def test_it_is_html(index: Index, name: str, kind: str) -> None:
    """Every element that is opened is closed, and every link to this index leads somewhere."""
    await publish(index, name, "1.0")
    await publish(index, name, "2.0rc1")
    path = f"/project/{name}/" if kind == "project" else f"/project/{name}/2.0rc1/"
    page = await index.ask(path)
    reader = Reader()
    reader.feed(page.text)
    reader.close()
    assert reader.open == []
    for link in reader.links:
        there = link.removeprefix("https://index.example")
        assert there.startswith("#") or (await index.ask(there)).status == 200, link


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/project/Foo.Bar", "/project/Foo.Bar/"),
        ("/project/foo_bar", "/project/Foo.Bar/"),
        ("/project/foo_bar/", "/project/Foo.Bar/"),
        ("/project/foo-bar/?a=b", "/project/Foo.Bar/"),
        ("/project/Foo.Bar/1.0", "/project/Foo.Bar/1.0/"),
        ("/project/Foo.Bar/1.0.0/", "/project/Foo.Bar/1.0/"),
        ("/project/foo.bar/v1.0", "/project/Foo.Bar/1.0/"),
        ("/project/FOO-BAR/1!2.0RC1/", "/project/Foo.Bar/1!2.0rc1/"),
    ],
)
async def test_one_hop(index: Index, path: str, location: str) -> None:
    """Any other spelling leads to the registered one in one redirect, for as long as it is that."""
    if (await index.ask("/project/Foo.Bar/")).status == 404:
        await publish(index, "Foo.Bar")
        await publish(index, "Foo.Bar", "1!2.0rc1")
    reply = await index.ask(path)
    assert (reply.status, reply["Location"]) == (301, location)
    # What has the form of a page may be one some day; what has no slash at its end never will.
    kept = (
        "max-age=0, public, must-revalidate"
        if path.partition("?")[0].endswith("/")
        else "max-age=86400, public"
    )
    assert reply["Cache-Control"] == kept
    assert (await index.ask(location)).status == 200


async def test_new_spelling(index: Index, name: str) -> None:
    """When a project changes the spelling of its name, its page moves there."""
    await publish(index, name)
    assert (await index.ask(f"/project/{name.upper()}/"))["Location"] == f"/project/{name}/"
    await publish(index, name.upper(), "2.0")
    assert (await index.ask(f"/project/{name.upper()}/")).status == 200
    assert (await index.ask(f"/project/{name}/"))["Location"] == f"/project/{name.upper()}/"


@pytest.mark.parametrize("path", ["/project/nobody/", "/project/nobody/1.0/", "/project/%3Cb%3E/"])
async def test_nothing_there(index: Index, path: str) -> None:
    """What is not there is said on a page, which says where to look."""
    reply = await index.ask(path)
    assert (reply.status, reply["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert "on this index." in reply.text
    assert '<a href="/search/">' in reply.text
    assert "<b>" not in reply.text
    assert reply["Cache-Control"] == "private, no-store"


async def test_no_such_version(index: Index, name: str) -> None:
    """A version that was not published has no page, and nor has a project in quarantine."""
    await publish(index, name)
    missing = await index.ask(f"/project/{name}/9.9/")
    assert missing.status == 404
    assert "There is no version &#39;9.9&#39;" in missing.text
    index.sql(f"UPDATE projects SET status = 'quarantined' WHERE name = '{name}'")
    assert (await index.ask(f"/project/{name}/")).status == 404
    assert (await index.ask(f"/project/{name}/1.0/")).status == 404


async def test_headers(index: Index, name: str) -> None:
    """Pages run no script, are asked for anew each time, and come out of memory."""
    await publish(index, name)
    first = await index.ask(f"/project/{name}/")
    reply = await index.ask(f"/project/{name}/", {"If-None-Match": first["ETag"]})
    assert (reply.status, reply["Cache-Status"]) == (304, "cheeseshop-l1; hit")
    assert first["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'; ")
    assert first["Cache-Control"] == "max-age=0, public, must-revalidate"
    for method in ("POST", "PUT"):
        refused = await index.ask(f"/project/{name}/", method=method)
        assert (refused.status, refused["Allow"]) == (405, "GET, HEAD, OPTIONS")
