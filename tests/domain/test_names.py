"""Names: grammar, normalization, look-alikes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypi.domain.names import is_valid, look_alike_key, normalize, standard_library_names

SPELLINGS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,30}[A-Za-z0-9]", fullmatch=True)


@given(SPELLINGS)
def test_normalizing_twice_changes_nothing(name: str) -> None:
    """A normalized name is its own normalized form, and a valid name."""
    assert normalize(normalize(name)) == normalize(name)
    assert is_valid(normalize(name))


@given(SPELLINGS, st.sampled_from(["-", "_", ".", "--", "-_.", "__"]))
def test_separators_are_all_alike(name: str, separator: str) -> None:
    """Runs of separators and letter case never tell two projects apart."""
    assert normalize(f"{name}{separator}x") == normalize(f"{name.upper()}-X")


@pytest.mark.parametrize(
    "name", ["", "-a", "a-", "_", "a b", "é", "a/b", "a\n", "\u017f", "\u212a", "x" * 201]
)
def test_names_outside_the_grammar(name: str) -> None:
    """Only ASCII letters and digits with inner separators name a project."""
    assert not is_valid(name)


def test_look_alikes_share_a_key() -> None:
    """Letters and digits a hurried reader mixes up fall together, and separators fall away."""
    assert look_alike_key("Flask-Login") == look_alike_key("fIask_1ogin")
    assert look_alike_key("numpy") != look_alike_key("numpyx")


def test_the_standard_library_is_reserved() -> None:
    """Modules of today's and yesterday's Python are covered."""
    reserved = standard_library_names()
    assert {"os", "json", "distutils", "asyncore", "tomllib", "urllib2"} <= reserved
