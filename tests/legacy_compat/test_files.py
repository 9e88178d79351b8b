"""Filenames, as the first index and the tools of its time spelled them."""

from __future__ import annotations

import pytest

from legacy_compat.files import is_bucket, key, same
from pypi.domain.names import NormalizedName

FOO = NormalizedName("foo-bar")


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("Foo.Bar-1.0.tar.gz", ("1", ".tar.gz")),
        ("foo_bar-1.0.0.tar.gz", ("1", ".tar.gz")),
        ("foo-bar-1.0.zip", ("1", ".zip")),
        ("FOO-BAR-2.0B1.tgz", ("2b1", ".tgz")),
        ("foo_bar-1.0-py2.py3-none-any.whl", ("1", "py2.py3-none-any.whl")),
        ("foo_bar-1.0-1-py3-none-any.whl", ("1", "1-py3-none-any.whl")),
        ("Foo.Bar-1.0-py2.7.egg", ("1", "py2.7.egg")),
        ("Foo.Bar-1.0_1-py2.7.egg", ("1.post1", "py2.7.egg")),
        ("Foo.Bar-1.0.egg", ("1", ".egg")),
        ("foo.bar-1.0.win32.exe", ("1", "win32.exe")),
        ("foo.bar-1.0.win32-py2.6.exe", ("1", "win32-py2.6.exe")),
        ("foo.bar-1.0.linux-i686.tar.gz", ("1", "linux-i686.tar.gz")),
        ("foo.bar-1.0-1.noarch.rpm", ("1", "noarch.rpm")),
        ("foo.bar-snapshot.tar.gz", ("snapshot", ".tar.gz")),
        ("foo bar-1.0.tar.gz", ("1", ".tar.gz")),
        ("other-1.0.tar.gz", None),
        ("foo.bar", None),
        ("foo.bar-", None),
        ("foo.bar-\u0661.tar.gz", None),
        ("foo.bar-" + "1" * 300, None),
    ],
)
def test_key(filename: str, expected: tuple[str, str] | None) -> None:
    """What is left of a filename beside the name of its project: canonical version, and kind of file."""
    assert key(FOO, filename) == expected


def test_same() -> None:
    """A file is found by any spelling of its name, but only as the kind of file that was asked for."""
    files = [("foo_bar-1.0.tar.gz", 1), ("Foo.Bar-1.0.zip", 2), ("foo_bar-1.0-py3-none-any.whl", 3)]
    assert same(FOO, ("1", ".zip"), files) == 2
    assert same(FOO, ("1", ".tgz"), files) is None


def test_buckets() -> None:
    """A folder is that of the first character, in any case."""
    assert is_bucket("F", "foo")
    assert is_bucket("f", "Foo")
    assert not is_bucket("g", "Foo")
    assert not is_bucket("fo", "Foo")
    assert not is_bucket("f", "")
