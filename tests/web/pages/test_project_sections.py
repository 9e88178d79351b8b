"""Sections of a project: releases along time, files, what it needs, who needs it, and what is known."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from legacy_compat import urls_index
from pypi.domain import versions
from pypi.domain.downloads import SHOWN_DAYS
from pypi.domain.permissions import OPERATOR
from pypi.domain.values import Extent
from pypi.web.pages.project.sections import HIGHEST_PAGE, SECTIONS, Section, Slice, page_number
from pypi.web.templates import shown_size
from tests.support.archives import core_metadata, sdist, wheel, wheel_filename
from tests.support.index import Index
from tests.web.pages.test_project import publish

SETTINGS = {"service__origin": "https://index.example"}


def lines(text: str, pattern: str) -> list[Any]:
    return re.findall(pattern, text)


def test_words() -> None:
    """No section is called as a version may be, and old addresses leave all of them alone."""
    words = [one.word for one in SECTIONS]
    assert words[0] == ""
    assert [word for word in words if versions.parse(word or "no version") is not None] == []
    assert {(word,) for word in words if word} == urls_index.SECTIONS


async def test_without_a_slash(index: Index) -> None:
    """A section is no version in an address that lacks its last slash, either."""
    for path in ("/project/a/files", "/project/a/1.0/files"):
        reply = await index.ask(path)
        assert (reply.status, reply["Location"]) == (301, f"{path}/")


def test_addresses() -> None:
    """A section of a release is below the release, and one of the project below the project."""
    own = Section(word="own", label="", extent=Extent())
    shared = Section(word="shared", label="", of_release=False, extent=Extent())
    assert own.path("a b", None) == "/project/a%20b/own/"
    assert own.path("a", "1!2+x") == "/project/a/1!2+x/own/"
    assert shared.path("a", "1") == "/project/a/shared/"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 1),
        ("2", 2),
        ("02", 2),
        ("0", 1),
        ("-1", 1),
        ("x", 1),
        ("²", 1),
        ("9" * 30, 1),
        ("10001", HIGHEST_PAGE),
    ],
)
def test_numbers_of_pages(text: str, number: int) -> None:
    """Any text is some page's number, within bounds."""
    assert page_number(text) == number


def test_slices() -> None:
    """A list is cut into pages, of which the last stands for those beyond it."""
    assert Slice.of(0, 10, 3, "/x/") == Slice(1, 1, "/x/", 10)
    part = Slice.of(21, 10, 9, "/x/")
    assert (part.page, part.last, part.slice) == (3, 3, slice(20, 30))
    assert (part.url(1), part.url(2)) == ("/x/", "/x/?page=2")


async def test_releases(index: Index, name: str) -> None:
    """The timeline has every release with its date; yanks have reasons, and pre-releases are marked."""
    for version in ("0.9", "1.0", "1.1", "2.0rc1"):
        await publish(index, name, version)
    index.sql(
        f"UPDATE releases SET created = '2024-02-03 04:05+00' FROM projects p"
        f" WHERE p.id = project_id AND p.name = '{name}' AND version = '0.9'"
    )
    await index.application.yanks.yank(OPERATOR, name, "1.1", "too <ripe>")
    page = (await index.ask(f"/project/{name}/releases/")).text
    assert "4 releases</h2>" in page
    found = lines(page, r'class="timeline__version" href="([^"]+)">(<s>)?([^<]+)')
    assert found == [
        (f"/project/{name}/2.0rc1/", "", "2.0rc1"),
        (f"/project/{name}/1.1/", "<s>", "1.1"),
        (f"/project/{name}/1.0/", "", "1.0"),
        (f"/project/{name}/0.9/", "", "0.9"),
    ]
    assert "Reason: too &lt;ripe&gt;" in page
    assert "Pre-release</span>" in page
    assert '<time datetime="2024-02-03T04:05:00Z"' in page
    years = lines(page, r'class="timeline__year">(\d+)')
    assert years == [str(datetime.now(UTC).year), "2024"]
    # Drawn, said in a sentence, and to be had as a table.
    assert '<title id="chart-title">Releases of' in page
    assert re.search(r"<figcaption[^>]*>Releases by (month|quarter), from .* 2024 to ", page)
    assert "<td>Feb 2024</td>" in page or "<td>Q1 2024</td>" in page


async def test_many_releases(index: Index, name: str) -> None:
    """A project with thousands of releases shows them by pages; the chart is about all of them."""
    await publish(index, name, "1.0")
    index.sql(
        "INSERT INTO releases (project_id, version, canonical, is_prerelease, metadata, created)"
        " SELECT id, '0.' || n, '0.' || n, false, '{}', timestamptz '2010-01-01' + n * interval '1 day'"
        f" FROM projects, generate_series(1, 3000) n WHERE name = '{name}'"
    )
    first = (await index.ask(f"/project/{name}/releases/")).text
    assert "3,001 releases</h2>" in first
    assert len(lines(first, "timeline__version")) == 200
    assert lines(first, r'href="([^"]+)" rel="next"') == [f"/project/{name}/releases/?page=2"]
    last = (await index.ask(f"/project/{name}/releases/?page=16")).text
    assert lines(last, r'timeline__version" href="[^"]+">([^<]+)') == ["0.1"]
    assert "chart__bar" not in last
    assert (await index.ask(f"/project/{name}/releases/?page=9999")).text == last
    assert (await index.ask(f"/project/{name}/releases/?page=x")).text == first
    assert 'Releases <span class="sections__count">3,001' in (await index.ask(f"/project/{name}/")).text


async def test_files(index: Index, name: str) -> None:
    """Each file is there with what it is for in words, its size, its digests and its metadata."""
    tag = "cp311-abi3-manylinux_2_17_x86_64"
    metadata = core_metadata(name, "1.0", headers=[("Requires-Python", ">=3.11")])
    for data, filename in (
        (wheel(name, "1.0", metadata=metadata, tag=tag), wheel_filename(name, "1.0", tag)),
        (sdist(name, "1.0", metadata=metadata), f"{name}-1.0.tar.gz"),
    ):
        reply = await index.upload(data, filename, name=name)
        assert reply.status == 200, reply.text
    page = (await index.ask(f"/project/{name}/files/")).text
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "2 files of 1.0" in text
    assert "Wheel for CPython 3.11 or later Linux (glibc 2.17 or later), x86-64" in text
    assert "Source" in text
    for file in (await index.ask(f"/pypi/{name}/json")).json()["urls"]:
        assert f'<a href="{file["url"]}">{file["filename"]}</a>' in page
        assert f'data-value="{file["size"]}">{shown_size(file["size"])}</td>' in page
        for digest in file["digests"].values():
            assert f"<code>{digest}</code>" in page
        assert (f'href="{file["url"]}.metadata"' in page) == file["filename"].endswith(".whl")
    assert (await index.ask(f"/project/{name}/1.0/files/")).status == 200


async def test_dependencies(index: Index, name: str) -> None:
    """What is needed is grouped by extras, said in words, and linked where it is on this index."""
    needed = [
        ("Requires-Dist", f"Wine-{name.upper()}<3,>=1; python_version < '3.9'"),
        ("Requires-Dist", "bread[soft]"),
        ("Requires-Dist", 'knife; extra == "party" and sys_platform == "win32"'),
        ("Provides-Extra", "party"),
        ("Provides-Extra", "none"),
        ("Requires-External", "a corkscrew"),
    ]
    await publish(index, name, "1.0", needed)
    page = (await index.ask(f"/project/{name}/dependencies/")).text
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert f"Needed always Wine-{name.upper()} &gt;=1,&lt;3 only if Python before 3.9 bread with soft" in text
    assert "knife only if Windows" in text
    assert "Extra none" in text
    assert "This extra needs nothing more." in text
    assert "a corkscrew" in text
    assert f'href="/project/wine-{name}/"' not in page
    await publish(index, f"wine-{name}", "1.0")
    page = (await index.ask(f"/project/{name}/1.0/dependencies/")).text
    assert f'<a href="/project/wine-{name}/">Wine-{name.upper()}</a>' in page
    # The page was kept, and yet knows at once of the project it speaks of.
    assert f'<a href="/project/wine-{name}/">' in (await index.ask(f"/project/{name}/dependencies/")).text
    nothing = (await index.ask(f"/project/wine-{name}/dependencies/")).text
    assert "needs no other project." in nothing


async def test_very_many_dependencies(index: Index, name: str) -> None:
    """Of very many lines a part is shown, and where the rest is."""
    await publish(index, name, "1.0", [("Requires-Dist", f"need{number}") for number in range(700)])
    page = await index.ask(f"/project/{name}/dependencies/")
    assert len(lines(page.text, "project-needs__name")) == 500
    assert "There are 200 more lines" in page.text


async def test_dependents(index: Index, name: str) -> None:
    """Who needs a project is counted and listed, from the moment on in which it is published."""
    await publish(index, name, "1.0")
    path = f"/project/{name}/dependents/"
    assert "No project of this index needs" in (await index.ask(path)).text
    await publish(
        index, f"b-{name}", "1.0", [("Summary", "Some <b>"), ("Requires-Dist", f"{name.upper()}>=1")]
    )
    await publish(index, f"a-{name}", "1.0", [("Requires-Dist", f"{name}; extra == 'x'")])
    page = (await index.ask(path)).text
    assert "2 projects need" in page
    assert lines(page, r'project-needs__name" href="([^"]+)"') == [
        f"/project/a-{name}/",
        f"/project/b-{name}/",
    ]
    assert "Optional</span>" in page
    assert f"<code>{name.upper()}&gt;=1</code>" in page
    assert "Some &lt;b&gt;" in page
    await publish(index, f"a-{name}", "2.0")
    assert "1 project needs" in (await index.ask(path)).text


async def test_dependents_by_pages(index: Index, name: str) -> None:
    """A project that very many need shows them a hundred at a time."""
    await publish(index, name, "1.0")
    await publish(index, f"user-{name}", "1.0", [("Requires-Dist", name)])
    index.sql(
        "INSERT INTO projects (name, normalized, look_alike, created)"
        f" SELECT 'n' || n || '-{name}', 'n' || n || '-{name}', 'x', now() FROM generate_series(1, 120) n;"
        "INSERT INTO releases (project_id, version, canonical, is_prerelease, metadata, created)"
        f" SELECT id, '1', '1', false, '{{\"requires_dist\": [\"{name}\"]}}', now() FROM projects"
        f" WHERE name ~ '^n[0-9]+-{name}$';"
        f"INSERT INTO search SELECT * FROM search_documents WHERE normalized ~ '^n[0-9]+-{name}$';"
        f"INSERT INTO dependencies SELECT * FROM dependencies_meant WHERE dependent ~ '^n[0-9]+-{name}$'"
    )
    path = f"/project/{name}/dependents/"
    first, second = (await index.ask(path)).text, (await index.ask(f"{path}?page=2")).text
    assert "121 projects need" in first
    assert len(lines(first, "project-needs__one")) == 100
    assert len(lines(second, "project-needs__one")) == 21
    assert (await index.ask(f"{path}?page=3")).text == second


async def test_security(index: Index, name: str) -> None:
    """What is known is said: status, yanks with reasons, digests; and what is not known, too."""
    await publish(index, name, "1.0")
    await publish(index, name, "1.1")
    await index.application.yanks.yank(OPERATOR, name, "1.0", "It leaks")
    page = (await index.ask(f"/project/{name}/security/")).text
    [file] = (await index.ask(f"/pypi/{name}/json")).json()["urls"]
    assert f"<code>{name}==1.1 \\\n    --hash=sha256:{file['digests']['sha256']}</code>" in page
    assert "cannot say whether this release has any" in page
    assert "There are no attestations" in page
    assert "1 yanked release</h2>" in page
    assert '<a href="/user/ada/">ada</a>, owner' in page
    yanked = (await index.ask(f"/project/{name}/1.0/security/")).text
    assert "It leaks" in yanked.partition("Vulnerabilities")[0]


async def test_near_names(new_index: Index) -> None:
    """Who mistypes a name is led to those that are close; they are known as soon as they are published."""
    assert "Did you mean" not in (await new_index.ask("/project/chedar/")).text
    await publish(new_index, "cheddar")
    page = await new_index.ask("/project/chedar/")
    assert page.status == 404
    assert '<a href="/project/cheddar/">cheddar</a>?' in page.text


async def test_downloads(index: Index, name: str) -> None:
    """Downloads of the last month are told and drawn; without any there is nothing to draw."""
    await publish(index, name, "1.0")
    await publish(index, f"other-{name}", "1.0")
    index.sql(
        "INSERT INTO downloads (project_id, day, count)"
        " SELECT id, (now() AT TIME ZONE 'UTC')::date - back, 1000"
        " FROM projects, (VALUES (1), (29), (60)) AS of (back)"
        f" WHERE name = '{name}'"
    )
    page = (await index.ask(f"/project/{name}/")).text
    assert "<strong>2,000</strong> in the last 30 days" in page
    [points] = lines(page, r'<polyline points="([^"]+)"')
    assert len(points.split()) == SHOWN_DAYS - 1
    other = (await index.ask(f"/project/other-{name}/")).text
    assert "<strong>0</strong>" in other
    assert "<polyline" not in other
