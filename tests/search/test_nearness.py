"""How close two names are: against the textbook, and by the pieces that the database keeps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pypi.search.nearness import closest, most_slips, pieces, slips_from
from tests.support.databases import Databases

NAMES = st.text("abc1", min_size=1, max_size=12)


def textbook(one: str, other: str) -> int:
    """Slips between two names: the optimal string alignment distance, by the table of it."""
    table = {(row, -1): row + 1 for row in range(-1, len(one))}
    table |= {(-1, column): column + 1 for column in range(-1, len(other))}
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            table[i, j] = min(table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + (a != b))
            if i and j and a == other[j - 1] and one[i - 1] == b:
                table[i, j] = min(table[i, j], table[i - 2, j - 2] + 1)
    return table[len(one) - 1, len(other) - 1]


@settings(max_examples=500, deadline=None)
@given(one=NAMES, other=NAMES)
def test_slips(one: str, other: str) -> None:
    """Slips are counted as the textbook has it."""
    assert slips_from(one)(other) == textbook(one, other)


def test_the_closest_first() -> None:
    """Fewer slips first, then the same first letter, then what is more popular; not the name itself."""
    others = [("request", 0), ("requests", 9), ("bequests", 9), ("requestx", 1), ("requesting", 0), ("r", 0)]
    assert [others[place][0] for place in closest("requests", others, 9)] == [
        *("requestx", "request", "bequests"),
    ]


@pytest.fixture(scope="module")
def cursor(databases: Databases) -> Iterator[Any]:
    """Of a database with our functions."""
    url = databases.make()
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        yield cursor
    databases.drop(url)


@settings(max_examples=300, deadline=None)
@given(name=st.text("abcdefgh12", min_size=3, max_size=24), slips=st.data())
def test_one_slip_never_hides_a_name(cursor: Any, name: str, slips: st.DataObject) -> None:
    """A name with one slip has a piece in common with what it was."""
    at = slips.draw(st.integers(0, len(name) - 1))
    letter = slips.draw(st.sampled_from("abcxyz"))
    typed = slips.draw(
        st.sampled_from(
            [
                *(
                    name[:at] + name[at + 1 :],
                    name[:at] + letter + name[at:],
                    name[:at] + letter + name[at + 1 :],
                ),
                name[:at] + name[at : at + 2][::-1] + name[at + 2 :],
            ]
        )
    )
    if len(typed) >= 3:
        cursor.execute("SELECT name_pieces(%s)", [name])
        [(kept,)] = cursor.fetchall()
        assert set(pieces(typed)) & set(kept)
        assert slips_from(typed)(name) <= 1 <= most_slips(typed)


def test_pieces_are_few() -> None:
    """However long a name is, it has a bounded number of pieces."""
    assert len(pieces("abcdefghij" * 4)) < 400
    assert pieces("ab") == pieces("x" * 41) == []
