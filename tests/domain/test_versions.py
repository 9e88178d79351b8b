"""Versions: their canonical spelling, their order, the latest of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypi.domain.versions import MAX_LENGTH, canonical, is_prerelease, latest, parse, sort_key

numbers = st.integers(0, 50)
releases = st.lists(numbers, min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
suffixes = st.sampled_from(["", "a1", "b2", "rc1", ".post1", ".dev0", "a1.dev2", "rc1.post2", "+local.1"])
epochs = st.sampled_from(["", "", "1!"])
versions = st.builds(lambda *parts: "".join(parts), epochs, releases, suffixes)
texts = st.one_of(versions, st.text(max_size=30))


@pytest.mark.parametrize(
    ("spellings", "expected"),
    [
        (["1", "1.0", "1.0.0", "v1", " 1.0 ", "01.0"], "1"),
        (["1.0a1", "1.0.alpha.1", "1.0-A1", "1.0_alpha1", "1a1", "1.0a01"], "1a1"),
        (["1.0.post0", "1.0-0", "1.0-post", "1.0r0"], "1.post0"),
        (["1!1.0", "1!1"], "1!1"),
        (["1.0+Ubuntu-1", "1+ubuntu.1"], "1+ubuntu.1"),
        (["1.0.dev", "1.dev0"], "1.dev0"),
    ],
)
def test_spellings_of_one_version(spellings: list[str], expected: str) -> None:
    """Spellings that installers take for one version have one canonical form."""
    assert {canonical(spelling) for spelling in spellings} == {expected}


def test_what_is_none() -> None:
    """Text of the days before PEP 440 is kept as it is, and so is what is absurdly long."""
    for text in ("2004d", "", "1.0-final", "latest", "1..0", "1.0 0", "1" * (MAX_LENGTH + 1)):
        assert parse(text) is None
        assert canonical(text) == text
        assert not is_prerelease(text)
    assert parse("1" * MAX_LENGTH) is not None


@given(versions, versions)
def test_canonical_is_equality(one: str, other: str) -> None:
    """Two versions have one canonical form exactly if installers hold them equal."""
    assert (canonical(one) == canonical(other)) is (parse(one) == parse(other))


@given(versions)
def test_canonical_twice(version: str) -> None:
    """The canonical form is its own."""
    assert canonical(canonical(version)) == canonical(version)


@given(st.lists(texts, max_size=8))
def test_order_is_total(given_texts: list[str]) -> None:
    """Whatever stands for a version has a place: text of old before versions, versions by their order."""
    ordered = sorted(given_texts, key=sort_key)
    parsed = [parse(text) for text in ordered]
    places = [version is not None for version in parsed]
    assert places == sorted(places)
    known = [version for version in parsed if version is not None]
    assert known == sorted(known)


@pytest.mark.parametrize(
    ("version", "expected"),
    [("1.0", False), ("1.0.post1", False), ("1.0rc1", True), ("1.0.dev1", True), ("1.0+local", False)],
)
def test_prereleases(version: str, expected: bool) -> None:
    """Installers pass over pre-releases and development releases."""
    assert is_prerelease(version) is expected


@pytest.mark.parametrize(
    ("given_versions", "expected"),
    [
        ([], None),
        ([("1.0", False), ("2.0", False)], "2.0"),
        ([("9.0", False), ("10.0", False)], "10.0"),
        ([("1.0", False), ("2.0rc1", False)], "1.0"),
        ([("1.0", False), ("2.0", True)], "1.0"),
        ([("1.0rc1", False), ("2.0", True)], "1.0rc1"),
        ([("1.0rc1", False), ("1.0rc2", False)], "1.0rc2"),
        ([("1.0", True), ("2.0rc1", True)], "1.0"),
        ([("2004d", False), ("0.1", False)], "0.1"),
        ([("2004d", False), ("2005d", True)], "2004d"),
    ],
)
def test_latest(given_versions: list[tuple[str, bool]], expected: str | None) -> None:
    """The latest is the highest final one that is not yanked; with less to choose from, the next best."""
    assert latest(given_versions) == expected
    assert latest(reversed(given_versions)) == expected


@given(st.lists(st.tuples(texts, st.booleans()), min_size=1, max_size=8))
def test_latest_is_one_of_them(given_versions: list[tuple[str, bool]]) -> None:
    """There is a latest wherever there is one at all, and it is yanked only if all are."""
    found = latest(given_versions)
    assert found in {version for version, _ in given_versions}
    if any(not yanked for _, yanked in given_versions):
        assert (found, False) in given_versions
