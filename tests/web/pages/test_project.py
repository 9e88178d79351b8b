"""Pages of projects and releases: what they show, where they are, and that nothing in them is executed."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from pypi.domain.permissions import OPERATOR
from tests.support.archives import core_metadata, wheel, wheel_filename
from tests.support.client import Reply
from tests.support.index import Index
from tests.support.keeping import until_kept
from tests.web.pages.test_home import Reader

SETTINGS = {"service__origin": "https://index.example"}

EVIL = '"><script>alert(1)</script>'


async def publish(index: Index, name: str, version: str = "1.0", headers: Any = (), text: str = "") -> None:
    metadata = core_metadata(name, version, headers=headers, description=text)
    reply = await index.upload(
        wheel(name, version, metadata=metadata), wheel_filename(name, version), name=name
    )
    assert reply.status == 200, reply.text


def version_of(page: Reply) -> str:
    """The version in the head of a page."""
    [found] = re.findall(r'<span class="project-header__version">([^<]+)</span>', page.text)
    return str(found)


async def test_content(index: Index, name: str) -> None:
    """A page shows what is known of the latest release, how to install it, and where the rest is."""
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
            ("Author-email", "Ada <ada@people.example>"),
            ("Keywords", "milk,old goat"),
            ("Classifier", "Topic :: Utilities"),
            ("Requires-Dist", 'wine; extra == "party"'),
            ("Provides-Extra", "party"),
            ("Description-Content-Type", "text/markdown"),
        ],
        "# A *title*\n",
    )
    page = await index.ask(f"/project/{name}/")
    assert (page.status, page["Content-Type"]) == (200, "text/html; charset=utf-8")
    for shown in (
        f"<title>{name} 1.0 · Cheeseshop</title>",
        f'<link rel="canonical" href="https://index.example/project/{name}/">',
        f'{name} <span class="project-header__version">1.0</span></h1>',
        '<p class="project-header__summary">Ripe cheese</p>',
        f"<code>pip install --index-url https://index.example/simple/ {name}</code>",
        f"<code>uv add --default-index https://index.example/simple/ {name}</code>",
        f'<a class="sections__link" href="/project/{name}/" aria-current="page">Overview</a>',
        f'<a class="sections__link" href="/project/{name}/releases/">Releases <span',
        f'<a class="sections__link" href="/project/{name}/dependents/">Dependents</a>',
        "<code>&gt;=3.9</code>",
        "<dd>MIT</dd>",
        "<dd>Ada &lt;ada@people.example&gt;</dd>",
        '<a href="https://cheese.example/" rel="nofollow noopener ugc">',
        '<a href="https://issues.example/?a=b&amp;c" rel="nofollow noopener ugc">',
        '<a href="/user/ada/">',
        '<a href="/search/?q=old+goat">old goat</a>',
        '<dt>Topic</dt>\n<dd><a href="/search/?c=Topic+%3A%3A+Utilities">Utilities</a></dd>',
        f'<a href="/project/{name}/files/">1 wheel</a>',
        f'<a href="/rss/project/{name}/releases.xml">',
        "A <em>title</em>",
    ):
        assert shown in page.text, shown
    assert "project-status" not in page.text
    older = await index.ask(f"/project/{name}/0.9/")
    assert '<span class="project-header__version">0.9</span></h1>' in older.text
    assert f"/simple/ {name}==0.9</code>" in older.text
    assert f'<a href="/project/{name}/1.0/">1.0</a> is the latest.' in older.text
    assert f'href="/project/{name}/0.9/files/"' in older.text
    assert "has written no description" in older.text
    assert "Latest release" in (await index.ask(f"/project/{name}/1.0/")).text


async def test_at_once(index: Index, name: str) -> None:
    """A page shows a publication and a yank as soon as they were acknowledged."""
    assert (await index.ask(f"/project/{name}/")).status == 404
    await publish(index, name)
    assert version_of(await index.ask(f"/project/{name}/")) == "1.0"
    await publish(index, name, "1.1")
    assert version_of(await index.ask(f"/project/{name}/")) == "1.1"
    await index.application.yanks.yank(OPERATOR, name, "1.1", "no <good>")
    assert version_of(await index.ask(f"/project/{name}/")) == "1.0"
    yanked = (await index.ask(f"/project/{name}/1.1/")).text
    assert "Yanked</span>" in yanked
    assert "Reason: no &lt;good&gt;" in yanked


async def test_escaping(index: Index, name: str) -> None:
    """What people wrote is text: nothing of it is markup, and only addresses of the web become links."""
    await publish(
        index,
        name,
        headers=[
            ("Summary", EVIL),
            ("Author", EVIL),
            ("License", EVIL),
            ("Keywords", EVIL),
            ("Project-URL", f"{EVIL[:20]}, https://a.example/"),
            ("Requires-External", EVIL),
            ("Description-Content-Type", "text/plain"),
        ],
        text=EVIL,
    )
    metadata = {
        "home_page": "javascript:alert(1)",
        "requires_python": EVIL,
        "classifiers": [EVIL, f"Topic :: {EVIL}"],
        "requires_dist": [EVIL, f"a; os_name == '{EVIL}'", f"b @ https://{EVIL} ; extra == 'x'"],
        "provides_extra": [EVIL],
    }
    index.sql(
        f"UPDATE projects SET status = 'archived', status_reason = '{EVIL}' WHERE name = '{name}';"
        f"UPDATE releases SET yanked = now(), yanked_reason = '{EVIL}',"
        f" metadata = metadata || '{json.dumps(metadata).replace(chr(39), chr(39) * 2)}'"
        f" FROM projects p WHERE p.id = project_id AND p.name = '{name}';"
        f"UPDATE files SET comment = '{EVIL}', requires_python = '{EVIL}'"
        f" FROM projects p WHERE p.id = project_id AND p.name = '{name}';"
        f"UPDATE descriptions SET html = NULL FROM releases r JOIN projects p ON p.id = r.project_id"
        f" WHERE r.id = release_id AND p.name = '{name}'"
    )
    for section in SECTIONS:
        reply = await index.ask(f"/project/{name}/{section}")
        assert reply.status == 200, section
        assert "<script>" not in reply.text
        assert "javascript:" not in reply.text
        assert reply.text.count("&lt;script&gt;") >= 3, section
        reader = Reader()
        reader.feed(reply.text)
        reader.close()
        assert reader.open == []
        assert not any(one.startswith("on") or one == "style" for one in reader.attributes)


SECTIONS = ("", "releases/", "files/", "dependencies/", "dependents/", "security/")


@pytest.mark.parametrize("version", ["", "2.0rc1/"])
async def test_it_is_html(index: Index, name: str, version: str) -> None:
    """Every element that is opened is closed, and every link to this index leads somewhere."""
    await publish(index, name, "1.0", [("Keywords", "a/b c"), ("Classifier", "Topic :: Utilities")])
    await publish(index, name, "2.0rc1", [("Requires-Dist", f"other-{name}>1"), ("Author", "Ada")])
    await publish(index, f"other-{name}", "1.0", [("Requires-Dist", f"{name}; extra == 'a'")])
    asked: set[str] = set()
    for section in SECTIONS:
        if version and section in ("releases/", "dependents/"):
            continue
        page = await index.ask(f"/project/{name}/{version}{section}")
        assert page.status == 200
        reader = Reader()
        reader.feed(page.text)
        reader.close()
        assert reader.open == []
        for link in {link.removeprefix("https://index.example") for link in reader.links} - asked:
            asked.add(link)
            # The page of one's account leads to where one signs in.
            found = 303 if link == "/account/" else 200
            assert link.startswith("#") or (await index.ask(link)).status == found, link


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
        ("/project/foo-bar/releases/?page=2&x=y", "/project/Foo.Bar/releases/?page=2"),
        ("/project/foo-bar/1.0.0/files/", "/project/Foo.Bar/1.0/files/"),
        ("/project/foo-bar/dependents/", "/project/Foo.Bar/dependents/"),
        ("/project/foo-bar/v1/dependencies/", "/project/Foo.Bar/1.0/dependencies/"),
        ("/project/foo-bar/1/security/", "/project/Foo.Bar/1.0/security/"),
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
    assert 'action="/search/"' in reply.text
    assert "<b>" not in reply.text
    assert reply["Cache-Control"] == "private, no-store"


async def test_no_such_version(index: Index, name: str) -> None:
    """A version that was not published has no page, and nor has a project in quarantine."""
    await publish(index, name)
    missing = await index.ask(f"/project/{name}/9.9/")
    assert missing.status == 404
    assert "There is no version &#39;9.9&#39;" in missing.text
    assert f'<a href="/project/{name}/releases/">' in missing.text
    index.sql(f"UPDATE projects SET status = 'quarantined' WHERE name = '{name}'")
    assert (await index.ask(f"/project/{name}/")).status == 404
    for path in ("1.0/", "releases/", "files/", "dependencies/", "dependents/", "security/"):
        assert (await index.ask(f"/project/{name}/{path}")).status == 404


async def test_headers(index: Index, name: str) -> None:
    """Pages run no script, are asked for anew each time, and come out of memory."""
    await publish(index, name)
    first = await index.ask(f"/project/{name}/")
    await until_kept(index, f"/project/{name}/")
    reply = await index.ask(f"/project/{name}/", {"If-None-Match": first["ETag"]})
    assert (reply.status, reply["Cache-Status"]) == (304, "cheeseshop-l1; hit")
    assert first["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; ")
    assert first["Cache-Control"] == "max-age=0, public, must-revalidate"
    serial = (await index.ask(f"/pypi/{name}/json")).json()["last_serial"]
    assert f">serial {serial}<" in first.text
    for method in ("POST", "PUT"):
        refused = await index.ask(f"/project/{name}/", method=method)
        assert (refused.status, refused["Allow"]) == (405, "GET, HEAD, OPTIONS")
