"""Filenames: what a distribution's says, and which two say the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from pypi.domain.filenames import MAX_BYTES, DistributionFilename, FileType, parse

characters = st.sampled_from("abAB019._-+!~ é/\\\0")
names = st.from_regex(r"[A-Za-z][A-Za-z0-9_.]{0,10}[A-Za-z0-9]", fullmatch=True)
versions = st.sampled_from(["1", "1.0", "2!1.0", "1.0a1", "1.0.post1", "1.0+local.1", "1.0.dev0"])
tags = st.sampled_from(["py3-none-any", "cp312-abi3-manylinux_2_17_x86_64", "py2.py3-none-any.win32"])
# Between the parts of a wheel's filename two underscores have no place (binary distribution format).
wheel_names = names.filter(lambda name: "__" not in name)
wheels = st.builds(lambda name, version, tag: f"{name}-{version}-{tag}.whl", wheel_names, versions, tags)
sdists = st.builds(
    lambda name, version, end: f"{name}-{version}{end}", names, versions, st.sampled_from([".tar.gz", ".zip"])
)


def test_a_wheel() -> None:
    """A wheel's filename tells name, version, build and tags."""
    found = parse("Cheese_Slicer-1.0-2b-cp312.py3-none-any.win32.whl")
    assert (found.filetype, found.name_part, found.version_part) == (FileType.WHEEL, "Cheese_Slicer", "1.0")
    assert (found.name, found.version) == ("cheese-slicer", Version("1.0"))
    assert (found.stem, found.python_tag) == ("Cheese_Slicer-1.0", "cp312.py3")
    assert {str(tag) for tag in found.tags} == {
        f"{python}-none-{platform}" for python in ("cp312", "py3") for platform in ("any", "win32")
    }
    assert found.canonical == (
        "cheese-slicer-1-2b-cp312-none-any-cp312-none-win32-py3-none-any-py3-none-win32.whl"
    )


@pytest.mark.parametrize(
    ("filename", "name", "version"),
    [
        ("cheese_slicer-1.0.tar.gz", "cheese_slicer", "1.0"),
        ("Cheese.Slicer-1.0.zip", "Cheese.Slicer", "1.0"),
        ("cheese-slicer-1.0.tar.gz", "cheese-slicer", "1.0"),
        ("cheese-2-1.0.tar.gz", "cheese-2", "1.0"),
        ("cheese-1!2.0+local.1.tar.gz", "cheese", "1!2.0+local.1"),
    ],
)
def test_an_sdist(filename: str, name: str, version: str) -> None:
    """A source distribution's filename tells name and version, also in the spelling before PEP 625."""
    found = parse(filename)
    assert (found.filetype, found.name_part, found.version_part) == (FileType.SDIST, name, version)
    assert (found.python_tag, found.tags) == ("source", frozenset())


@pytest.mark.parametrize(
    "filename",
    [
        "",
        ".tar.gz",
        "-1.0.tar.gz",
        "cheese.tar.gz",
        "cheese-.tar.gz",
        "cheese-one.tar.gz",
        "cheese-1.0.tar.bz2",
        "cheese-1.0.tgz",
        "cheese-1.0.TAR.GZ",
        "cheese-1.0.exe",
        "cheese-1.0.tar.gz.metadata",
        "cheese-1.0.tar.gz ",
        "cheese-1.0.tar.gz\n",
        "chee se-1.0.tar.gz",
        "chéese-1.0.tar.gz",
        "chee\u0301se-1.0.tar.gz",
        "cheese\u202e-1.0.tar.gz",
        "../cheese-1.0.tar.gz",
        "cheese-1.0.whl",
        "cheese-1.0-py3-none.whl",
        "cheese-1.0-x-py3-none-any.whl",
        "cheese-one-py3-none-any.whl",
        "-1.0-py3-none-any.whl",
        "cheese__-1.0-py3-none-any.whl",
        "con.whl",
        f"{'c' * MAX_BYTES}-1.0.tar.gz",
    ],
)
def test_what_is_none(filename: str) -> None:
    """What is no distribution's filename is told apart, with a word on why."""
    with pytest.raises(ValueError, match=r"nvalid|too long"):
        parse(filename)


def test_length() -> None:
    """A filename may be so long that one with .metadata behind it still fits a file system."""
    ending = "-1.0.tar.gz"
    longest = "c" * (MAX_BYTES - len(ending)) + ending
    assert parse(longest).filename == longest
    assert len(f"{longest}.metadata") <= 255
    with pytest.raises(ValueError, match="too long"):
        parse(f"c{longest}")


@pytest.mark.parametrize(
    "spellings",
    [
        ["foo-1.0.tar.gz", "Foo-1.0.0.tar.gz", "foo-1.zip", "FOO-v1.tar.gz"],
        ["foo_bar-1.0-py3-none-any.whl", "foo.bar-1-py3-none-any.whl", "Foo_Bar-1.0.0-py3-none-any.whl"],
        ["foo-1.0-py2.py3-none-any.whl", "foo-1.0-py3.py2-none-any.whl", "foo-1.0-PY2.py3-none-any.whl"],
        ["foo-1.0-1-py3-none-any.whl", "foo-1.0.0-1-py3-none-any.whl"],
    ],
)
def test_spellings_of_one_file(spellings: list[str]) -> None:
    """Spellings of one filename have one canonical form."""
    assert len({parse(spelling).canonical for spelling in spellings}) == 1


def test_different_files() -> None:
    """Files that installers tell apart have different canonical forms."""
    filenames = [
        "foo-1.0.tar.gz",
        "foo-1.1.tar.gz",
        "foo-1.0a1.tar.gz",
        "foo1-0.tar.gz",
        "foo-1.0-py3-none-any.whl",
        "foo-1.0-1-py3-none-any.whl",
        "foo-1.0-2-py3-none-any.whl",
        "foo-1.0-py2-none-any.whl",
        "foo-1.0-py2.py3-none-any.whl",
        "foo-1.0-py3-none-win32.whl",
        "foo_bar-1.0-py3-none-any.whl",
    ]
    assert len({parse(filename).canonical for filename in filenames}) == len(filenames)


@given(st.one_of(wheels, sdists))
def test_parts_belong_together(filename: str) -> None:
    """The parts of a filename stand in it, and its canonical form is that of its own parts."""
    found = parse(filename)
    assert filename.startswith(found.stem)
    assert found.canonical.startswith(f"{found.name}-")
    assert found.canonical == parse(filename.replace(found.name_part, found.name_part.upper(), 1)).canonical


@given(st.one_of(wheels, sdists), st.data())
def test_one_wrong_character(filename: str, data: st.DataObject) -> None:
    """A filename with one character changed is a filename, or is refused; nothing else happens."""
    at = data.draw(st.integers(0, len(filename) - 1))
    check_any(filename[:at] + data.draw(characters) + filename[at + 1 :])


@given(st.text(max_size=40), st.sampled_from(["", ".tar.gz", ".zip", ".whl", "-py3-none-any.whl"]))
def test_any_text(text: str, ending: str) -> None:
    """Any text is a filename or is refused."""
    check_any(text + ending)


def check_any(text: str) -> None:
    try:
        found = parse(text)
    except ValueError:
        return
    assert isinstance(found, DistributionFilename)
    assert found.filename == text
    assert found.canonical
    assert found.name
    assert isinstance(found.version, Version)
