"""What is known of changes: never fresher than the truth, and bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from caching.tags import Known

TAGS = st.sampled_from(["a", "b", "c", "d", "e", "f"])
CHANGES = st.lists(st.tuples(st.integers(1, 50), st.lists(TAGS, max_size=3)), max_size=60)


def test_what_is_older_than_a_change() -> None:
    """What was made before a change of one of its tags is no longer true; what was made at it is."""
    known = Known()
    known.touch(5, ["project/cheese", "all-projects"])
    assert not known.admits(4, ["project/cheese"])
    assert known.admits(5, ["project/cheese"])
    assert not known.admits(4, ["project/bread", "all-projects"])
    assert known.admits(0, ["project/bread"])
    assert known.admits(0, [])


def test_changes_out_of_order() -> None:
    """A change that is told late, or twice, takes nothing back."""
    known = Known()
    for serial in (7, 5, 7):
        known.touch(serial, ["a"])
    assert known.of(["a"]) == 7


@given(CHANGES, st.integers(1, 4))
def test_never_fresher_than_the_truth(changes: list[tuple[int, list[str]]], most: int) -> None:
    """However few tags are remembered, none is taken to have been touched earlier than it was."""
    bounded, true = Known(most=most), Known()
    for serial, tags in changes:
        bounded.touch(serial, tags)
        true.touch(serial, tags)
    for tag in "abcdefg":
        assert bounded.of([tag]) >= true.of([tag])
    assert len(bounded._serials) <= most
    assert bounded.floor <= max((serial for serial, _ in changes), default=0)


def test_what_was_touched_last_is_remembered() -> None:
    """The tags that are forgotten are those whose last change was told first."""
    known = Known(most=2)
    for serial, tag in enumerate(["a", "b", "a", "c"], start=1):
        known.touch(serial, [tag])
    assert known.floor == 2
    assert (known.of(["a"]), known.of(["b"]), known.of(["c"])) == (3, 2, 4)


def test_starting_late() -> None:
    """Who knows nothing of changes before a serial trusts nothing made before it."""
    known = Known()
    known.start(100)
    assert (known.last, known.of(["anything"])) == (100, 100)
    assert not known.admits(99, ["anything"])
    assert known.admits(100, ["anything"])
    known.start(50)
    assert (known.last, known.floor) == (100, 100)


def test_serials_taken_back() -> None:
    """After a restart serials begin at an earlier one, and what is made there is trusted."""
    known = Known()
    known.touch(120, ["a"])
    known.advance(120)
    known.restart(90)
    assert (known.last, known.floor) == (90, 90)
    assert known.admits(90, ["a"])
    assert not known.admits(89, ["a"])


def test_it_says_what_it_knows() -> None:
    """Its ``repr`` is worth logging."""
    known = Known()
    known.touch(3, ["a", "b"])
    known.advance(3)
    assert repr(known) == "<Known up to 3, 2 tags, others before 0>"
