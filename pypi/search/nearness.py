"""How close two names are: by letters left out, put in, changed, or swapped with their neighbours; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

SHORTEST, LONGEST = 3, 40
"""Letters and digits of names that others are close to: of very short ones too many are."""

WHOLE_TO = 8
"""Letters up to which pieces are of whole names, as ``name_pieces`` in the database has it."""


def most_slips(name: str) -> int:
    """How many slips may lie between a name and another that is still close."""
    return 1 if len(name) <= 5 else 2


def pieces(name: str) -> list[str]:
    """Of a name without separators: pieces one of which a name that is close has, too (``name_pieces``).

    There are some more of that kind, and a few close ones whose slips both fall into one half are missed.
    """
    if not SHORTEST <= len(name) <= LONGEST:
        return []
    most = most_slips(name)
    found = dict.fromkeys("=" + one for one in _whole(name, most))
    # Two letters that are left out, or two too many, are rare beside one of each.
    for size in range(max(WHOLE_TO + 1, len(name) - 1), len(name) + 2):
        half = size // 2
        for at in range(max(1, half - 1), min(len(name) - 1, half + 1) + 1):
            found |= dict.fromkeys("<" + one for one in _left_out(name[:at]) if half - 1 <= len(one) <= half)
            rest = size - half
            found |= dict.fromkeys(">" + one for one in _left_out(name[at:]) if rest - 1 <= len(one) <= rest)
    return list(found)


def _whole(name: str, most: int) -> Iterator[str]:
    if len(name) > WHOLE_TO + most:
        return
    for one in _left_out(name):
        yield one
        if most > 1 and len(one) < len(name):
            yield from _left_out(one)


def _left_out(text: str) -> Iterator[str]:
    """A text, and what is left of it without each of its letters."""
    yield text
    for at in range(len(text)):
        yield text[:at] + text[at + 1 :]


def slips_from(name: str) -> Callable[[str], int]:
    """A function that counts the slips between this name and another.

    Source: H. Hyyrö, A Bit-Vector Algorithm for Computing Levenshtein and Damerau Edit Distances (2003).
    """
    places: dict[str, int] = {}
    for at, letter in enumerate(name):
        places[letter] = places.get(letter, 0) | 1 << at
    every = (1 << len(name)) - 1
    last = 1 << len(name) - 1

    def slips(other: str) -> int:
        up, down, diagonal, before, count = every, 0, 0, 0, len(name)
        for letter in other:
            here = places.get(letter, 0)
            swapped = ((~diagonal & here) << 1) & before
            diagonal = ((((here & up) + up) ^ up) | here | down | swapped) & every
            right = (down | ~(diagonal | up)) & every
            left = diagonal & up
            count += bool(right & last) - bool(left & last)
            right, left = (right << 1 | 1) & every, left << 1 & every
            up, down, before = left | ~(diagonal | right) & every, right & diagonal, here
        return count

    return slips


def closest(name: str, others: Sequence[tuple[str, int]], limit: int) -> list[int]:
    """Which of some names are close to one, the closest first; of equally close ones the more popular first.

    Args:
        others: names without separators, and how popular they are.

    Returns:
        their places.
    """
    slips, most = slips_from(name), most_slips(name)
    found = []
    for place, (other, popularity) in enumerate(others):
        count = slips(other)
        if 0 < count <= most:
            # Few people get the first letter wrong.
            found.append((count, other[0] != name[0], -popularity, len(other), other, place))
    return [one[-1] for one in sorted(found)[:limit]]
