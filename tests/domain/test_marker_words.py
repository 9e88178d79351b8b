"""Requirements in words: what is needed, when, and for which extra; any text is taken."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

from pypi.domain.marker_words import LONGEST, Needed, taken_apart


def test_all_parts() -> None:
    """A line is taken apart into all it says."""
    line = 'Cheese.Shop[b,a]<3,>=1.0 ; python_version < "3.9"\n  and extra == "Party_Time"'
    found = taken_apart(line)
    assert found == Needed(
        written='Cheese.Shop[b,a]<3,>=1.0 ; python_version < "3.9" and extra == "Party_Time"',
        name="Cheese.Shop",
        extras=("a", "b"),
        versions=">=1.0,<3",
        only="Python before 3.9",
        for_extras=("party-time",),
    )
    assert found.normalized == "cheese-shop"


def test_from_elsewhere() -> None:
    """What comes from a URL says from which."""
    found = taken_apart("a @ https://a.example/a.whl ; os_name == 'nt'")
    assert (found.name, found.url, found.only) == ("a", "https://a.example/a.whl", "Windows")


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        ('python_version >= "3.9"', "Python 3.9 or later"),
        ('python_version <= "3.9"', "Python up to 3.9"),
        ('python_full_version > "3.9.1"', "Python after 3.9.1"),
        ('python_version == "3.9.*"', "Python 3.9.*"),
        ('python_version != "3.9"', "any Python but 3.9"),
        ('python_version ~= "3.9"', "Python compatible with 3.9"),
        ('"3.9" > python_version', "Python before 3.9"),
        ('python_version in "2.6, 2.7"', "Python 2.6 or 2.7"),
        ('python_version not in "2.6"', "not Python 2.6"),
        ('sys_platform == "win32"', "Windows"),
        ('sys_platform != "darwin"', "not macOS"),
        ('sys_platform == "haiku"', "haiku"),
        ('"linux" in sys_platform', "Linux"),
        ('"64" not in platform_machine', "not platform_machine containing 64"),
        ('platform_system == "Java"', "the Java platform"),
        ('platform_machine == "arm64"', "arm64 processors"),
        ('implementation_name == "cpython"', "CPython"),
        ('platform_python_implementation != "PyPy"', "not PyPy"),
        ('platform_release >= "5"', "platform_release >= 5"),
        ('os_name == "nt" or os_name == "posix"', "Windows or Unix-like systems"),
        (
            '(os_name == "nt" or os_name == "posix") and python_version < "3"',
            "(Windows or Unix-like systems) and Python before 3",
        ),
        (
            'os_name == "nt" and python_version < "3" or extra == "a"',
            "Windows and Python before 3 or extra a",
        ),
    ],
)
def test_when(marker: str, words: str) -> None:
    """Markers are said in words, and what nobody has words for as it was written."""
    assert taken_apart(f"a; {marker}").only == words


@pytest.mark.parametrize(
    ("marker", "extras", "words"),
    [
        ('extra == "a"', ("a",), ""),
        ('extra == "a" or extra == "B.b"', ("a", "b-b"), ""),
        ('(extra == "a" or extra == "b") and os_name == "nt"', ("a", "b"), "Windows"),
        ('extra == "a" and extra == "b"', ("a", "b"), ""),
        ('extra == "a" and (os_name == "nt" or os_name == "posix")', ("a",), "Windows or Unix-like systems"),
        ('extra != "a"', (), "not extra a"),
    ],
)
def test_for_which_extras(marker: str, extras: tuple[str, ...], words: str) -> None:
    """Which extras bring it is told apart from when it is needed."""
    found = taken_apart(f"a; {marker}")
    assert (found.for_extras, found.only) == (extras, words)


@pytest.mark.parametrize(
    "line", ["", "!!", "a b c", "a; os_name", "a >=", "a" * (LONGEST + 1), "a; " + "(" * 900 + "os_name"]
)
def test_what_breaks_the_rules(line: str) -> None:
    """Of a line that cannot be taken apart there is but what was written."""
    assert taken_apart(line) == Needed(" ".join(line.split()))


def test_depth() -> None:
    """A marker that nests deeply stays as it is, and still counts as a condition."""
    marker = 'os_name == "nt"'
    for _ in range(40):
        marker = f'os_name == "posix" and (os_name == "nt" or {marker})'
    found = taken_apart(f"a; {marker}")
    assert found.name == "a"
    assert "os_name" in found.only


VARIABLES = st.sampled_from(["python_version", "os_name", "sys_platform", "extra", "platform_machine"])
COMPARED = st.builds(
    '{} {} "{}"'.format, VARIABLES, st.sampled_from(["==", "!=", "<", ">=", "in", "not in"]), st.just("3.1")
)
MARKERS = st.recursive(
    COMPARED, lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner)
)


@settings(max_examples=150, deadline=None)
@given(marker=MARKERS)
def test_any_marker(marker: str) -> None:
    """Every marker of the standard has words, and names the extras that are in it."""
    found = taken_apart(f"a; {marker}")
    assert found.name == "a"
    assert bool(found.for_extras) == ('extra == "3-1"' in str(Requirement(f"a; {marker}").marker))
    assert found.only or found.for_extras


@settings(max_examples=100, deadline=None)
@given(line=st.text(st.sampled_from("ab1[]()<>=!~;,@\" '.and or in extra"), max_size=40))
def test_any_text(line: str) -> None:
    """No text is too odd."""
    assert taken_apart(line).written == " ".join(line.split())
