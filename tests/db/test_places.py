"""Where versions stand among each other: the database's order is that of the standard."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pypi.domain import versions
from tests.support.databases import ask

NUMBERS = st.one_of(st.integers(0, 12), st.integers(0, 10**12))


@st.composite
def pep440(draw: st.DrawFn) -> str:
    """A version with any of the parts there are."""
    text = ".".join(map(str, draw(st.lists(NUMBERS, min_size=1, max_size=4))))
    if draw(st.booleans()):
        text += draw(st.sampled_from(["a", "b", "rc"])) + str(draw(NUMBERS))
    if draw(st.booleans()):
        text += f".post{draw(NUMBERS)}"
    if draw(st.booleans()):
        text += f".dev{draw(NUMBERS)}"
    if draw(st.integers(0, 3)) == 0:
        text = f"{draw(NUMBERS)}!{text}"
    if draw(st.integers(0, 3)) == 0:
        pieces = st.one_of(NUMBERS.map(str), st.from_regex(r"[a-z0-9]{1,3}", fullmatch=True))
        text += "+" + ".".join(draw(st.lists(pieces, min_size=1, max_size=3)))
    return text


OTHERS = st.one_of(
    st.sampled_from(["", "2004d", "1.0-SNAPSHOT", "v", "٣", "1" * 201]), st.text("ab1.-", max_size=5)
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given=st.lists(st.one_of(pep440(), OTHERS), min_size=2, max_size=30))
def test_the_order_of_versions(database_url: str, given: list[str]) -> None:
    """Any versions, and any texts that are none, sort by their places as ``sort_key`` sorts them."""
    canonical = sorted({versions.canonical(one) for one in given})
    values = ", ".join("('" + one.replace("'", "''") + "')" for one in canonical)
    found = ask(
        database_url,
        f'SELECT v, version_place(v) FROM (VALUES {values}) AS t (v) ORDER BY version_place(v) COLLATE "C"',
    )
    assert [one for one, _ in found] == sorted(canonical, key=versions.sort_key)
    assert len({place for _, place in found}) == len(canonical)


def test_the_order_of_the_standard(database_url: str) -> None:
    """The sequence in the standard itself, and what is no version before all of it."""
    ordered = (
        "nonsense 1.dev1 1a1.dev1 1a1 1a2 1b1 1rc1 1 1+abc 1+abc.5 1+abc.7 1+5 1.post1.dev1 1.post1 "
        "1.1 1.10 1!0"
    ).split()
    found = ask(
        database_url,
        f'SELECT v FROM unnest(ARRAY{ordered}) AS v ORDER BY version_place(v) COLLATE "C"',
    )
    assert [one for (one,) in found] == ordered == sorted(ordered, key=versions.sort_key)
