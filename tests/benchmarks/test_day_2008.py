"""What the figure about 2008 takes addresses for, and what its index holds."""

from __future__ import annotations

from pathlib import Path

import psycopg2
import pytest

from benchmarks import day_2008_catalogue
from benchmarks.day_2008 import Findings
from benchmarks.day_2008_named import Named, named
from benchmarks.day_2008_rows import Catalogue
from benchmarks.figure import BenchmarkFailed
from benchmarks.loading import fill
from pypi.shadow.lines import Recorded
from pypi.shadow.replay import Ending
from pypi.shadow.replies import Reply


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("/", Named()),
        ("/simple/", Named()),
        ("/favicon.ico", Named()),
        ("/pypi?:action=rss", Named()),
        ("/pypi?:action=search&name=foo", Named()),
        ("/simple/Shed%20Skin/", Named("Shed-Skin")),
        ("/pypi/zope.event", Named("zope.event")),
        ("/pypi/zope.event/3.4.0/", Named("zope.event", "3.4.0")),
        ("/pypi?:action=display&amp;name=a&version=1.0", Named("a", "1.0")),
        ("/pypi?%253Aaction=show_md5&digest=ABC", Named(digest="abc")),
        ("/packages/2.5/f/foo/", Named("foo")),
        ("/pypi/packages/2.5/f/foo/?C=M;O=A", Named("foo")),
        (
            "//packages//source/f/foo/foo-1.0.tar.gz#md5=1",
            Named("foo", "1.0", "foo-1.0.tar.gz", "source"),
        ),
    ],
)
def test_addresses(target: str, found: Named) -> None:
    """An address names a project, a release, a file or a digest, or is a page every index has."""
    assert named(target) == found


@pytest.mark.parametrize(
    ("filename", "version"),
    [
        ("foo-bar-1.0.zip", "1.0"),
        ("foo_bar-1.0dev_r12-py2.5.egg", "1.0dev_r12"),
        ("Foo.Bar-1.0.win32-py2.4.exe", "1.0"),
        ("foo-bar-1.0.win32.exe", "1.0"),
        ("foo-bar-1.0-1.noarch.rpm", "1.0"),
        ("foo_bar-0.1-py2.4-linux-i686.egg", "0.1"),
        ("foobar.tgz", "foobar"),
    ],
)
def test_versions_in_filenames(filename: str, version: str) -> None:
    """The version is what stands behind the project's name, without what kind of distribution it is."""
    assert named(f"/packages/2.5/f/foo-bar/{filename}").version == version


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("/icons/back.gif", "the web server's own"),
        ("/packages/2.5/f/", "a folder of files that names no project"),
        ("/packages/source/f/foo/foo-1.0.tar.gz.asc", "a signature"),
        ("/simple/abo%27s%20pysync", "a name that no project may have now"),
        ("/pypi?:action=pkg_edit&name=foo", "a page of accounts"),
        ("/pypi?:action=search&term=%0Ax", "a control character"),
        ("/pypi/a/b/c/d", "no address of the index"),
    ],
)
def test_what_names_nothing(target: str, why: str) -> None:
    """What names nothing that an index holds is told with the reason."""
    assert named(target) == Named(nameless=why)


LOG = [
    Recorded(1, 0.0, "GET", "/simple/Foo_Bar/", 200),
    *(Recorded(2, 0.0, "GET", "/simple/Foo_Bar/", 200) for _ in range(5)),
    Recorded(3, 0.0, "GET", "/simple/foo-bar/", 304),
    Recorded(4, 0.0, "GET", "/pypi/foo-bar/1.0.0", 200),
    Recorded(5, 0.0, "GET", "/packages/source/f/foo-bar/foo-bar-1.0.tar.gz", 206),
    Recorded(6, 0.0, "GET", "/pypi?:action=show_md5&digest=" + "a" * 32, 200),
    Recorded(7, 0.0, "GET", "/simple/not-there/", 404),
    Recorded(8, 0.0, "POST", "/simple/posted/", 200),
]


def test_the_index_holds_what_the_log_saw(database_url: str, tmp_path: Path) -> None:
    """Everything that was answered with success is there, once, and its file has the bytes it says."""
    fill(database_url, lambda cursor: Catalogue.of(LOG).fill(cursor, tmp_path), say=lambda _: None)
    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT name, normalized FROM projects")
        assert cursor.fetchall() == [("Foo_Bar", "foo-bar")]
        cursor.execute("SELECT version, canonical FROM releases")
        assert cursor.fetchall() == [("1.0.0", "1")]
        cursor.execute("SELECT filename, md5, size, blake2_256 FROM files")
        ((filename, md5, size, blake2),) = cursor.fetchall()
        cursor.execute("SELECT count(*), max(serial) FROM journal")
        assert cursor.fetchall() == [(4, 4)]
    connection.close()
    assert (filename, md5) == ("foo-bar-1.0.tar.gz", "a" * 32)
    path = tmp_path / blake2[:2] / blake2[2:4] / blake2[4:] / filename
    assert path.stat().st_size == size


def ended(status: int, hops: int = 0) -> list[Ending]:
    """One server's answer."""
    return [Ending(Reply(status), status, hops)]


def test_what_counts() -> None:
    """What is held has to end well in one redirect; what names nothing is told, and does not count."""
    found = Findings()
    found.add(LOG[0], ended(200, 1))
    found.add(LOG[7], ended(200, 2))
    found.add(LOG[8], ended(404))
    found.add(Recorded(9, 0.0, "GET", "/icons/a.gif", 200), ended(404))
    found.add(Recorded(9, 0.0, "GET", "/pypi?:action=search&term=x", 200), ended(404, 1))
    found.add(Recorded(9, 0.0, "GET", "/simple/", 200), ended(200))
    found.add(Recorded(9, 0.0, "GET", "/pypi?:action=doap&name=foo-bar", 200), ended(410))
    found.add(LOG[10], ended(404))
    assert (found.held, found.well, found.failures) == (3, 1, 0)
    assert (found.pages, found.pages_well) == (2, 1)
    assert {(line[0], line[3]) for line in found.others} == {
        ("held, and does not end well", 200),
        ("held, and does not end well", 404),
        ("the web server's own", 404),
        ("a page every index has", 404),
        ("410 by decision", 410),
    }
    found.add(LOG[10], ended(503))
    found.add(LOG[0], ended(0))
    assert found.failures == 2


def test_no_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the log there is a sentence that says where it was looked for."""
    monkeypatch.setenv(day_2008_catalogue.VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(BenchmarkFailed, match=r"the log of 2008 is not at .*nowhere"):
        day_2008_catalogue.log()
