"""What projects can be narrowed by, as the database makes it of metadata."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from tests.support.databases import Databases

MINORS = ["2.6", "2.7", *(f"3.{minor}" for minor in range(21))]
LAST = 30
"""No minor version has as many releases."""

CLAUSES = st.one_of(
    st.builds(
        "{}{}.{}".format,
        st.sampled_from([">=", "<", "<=", ">", "~=", "=="]),
        st.integers(2, 4),
        st.integers(0, 14),
    ),
    st.builds(
        "{}3.{}.{}".format,
        st.sampled_from([">=", "<", "~=", "!=", "=="]),
        st.integers(0, 14),
        st.integers(0, 4),
    ),
    st.builds("{}3.{}.*".format, st.sampled_from(["!=", "=="]), st.integers(0, 14)),
    st.sampled_from(["!=2.*", "==3.*", "<4", ">=3", "!=3.9"]),
)


@pytest.fixture(scope="module")
def cursor(databases: Databases) -> Iterator[Any]:
    """Of a database with our functions."""
    url = databases.make()
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        yield cursor
    databases.drop(url)


def admitted(cursor: Any, specifier: str) -> list[str] | None:
    cursor.execute("SELECT admitted_pythons(%s)", [specifier])
    [(found,)] = cursor.fetchall()
    return found


@settings(max_examples=300, deadline=None)
@given(clause=CLAUSES)
def test_a_clause(cursor: Any, clause: str) -> None:
    """A minor version is admitted if the library admits any release of it."""
    specifier = SpecifierSet(clause)
    meant = [one for one in MINORS if any(specifier.contains(f"{one}.{patch}") for patch in range(LAST))]
    assert admitted(cursor, clause) == meant


@pytest.mark.parametrize(
    ("specifier", "meant"),
    [
        (">=3.8,<3.11", ["3.8", "3.9", "3.10"]),
        (" >= 3.8 , != 3.9.* ,<3.11", ["3.8", "3.10"]),
        (">=4", []),
        ("", None),
        ("any", None),
    ],
)
def test_specifiers(cursor: Any, specifier: str, meant: list[str] | None) -> None:
    """All clauses have to admit it; what states nothing admits nobody knows what."""
    assert admitted(cursor, specifier) == meant


def test_labels(cursor: Any) -> None:
    """Each classifier with all that stands above it, once; Pythons; wheels."""
    cursor.execute(
        "SELECT label_names(%s, %s, true)",
        [["A :: B :: C", "A :: B", "Programming Language :: Python :: 3.9"], ">=3.19"],
    )
    [(names,)] = cursor.fetchall()
    assert sorted(names) == [
        *("@python 3.19", "@python 3.20", "@wheel", "A", "A :: B", "A :: B :: C", "Programming Language"),
        *("Programming Language :: Python", "Programming Language :: Python :: 3.9"),
    ]
    cursor.execute("SELECT label_names(%s, NULL, false)", [["Programming Language :: Python :: 3.9"]])
    [(names,)] = cursor.fetchall()
    assert "@python 3.9" in names
