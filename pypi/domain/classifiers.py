"""Classifiers as the tree that their names describe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import define, field

SEPARATOR = " :: "


@define(eq=False)
class Node:
    """A classifier, or what only stands above some, such as ``Topic``.

    Attributes:
        name: as it is written in metadata.
        label: the last part of it.
        count: projects that have it or one below it, where that is known.
    """

    name: str
    label: str
    count: int | None = None
    children: list[Node] = field(factory=list, repr=False)


def above(name: str) -> list[str]:
    """What stands above a classifier, the highest first: ``["A", "A :: B"]`` for ``A :: B :: C``."""
    parts = name.split(SEPARATOR)
    return [SEPARATOR.join(parts[:length]) for length in range(1, len(parts))]


def tree(names: Iterable[str], counts: Mapping[str, int]) -> list[Node]:
    """The roots of a tree of these classifiers, siblings in the order in which they come first.

    Args:
        names: classifiers; what stands above them need not be among them.
        counts: classifier, or what stands above some → projects.
    """
    top = Node("", "")
    known: dict[str, Node] = {}
    for name in names:
        parent = top
        for one in (*above(name), name):
            if one not in known:
                known[one] = Node(one, one.rpartition(SEPARATOR)[2], counts.get(one))
                parent.children.append(known[one])
            parent = known[one]
    return top.children


def most_common(counts: Mapping[str, int], most: int) -> set[str]:
    """The classifiers with the highest counts, and what stands above them; about ``most`` in all."""
    found: set[str] = set()
    for name in sorted(counts, key=lambda one: (-counts[one], one)):
        if len(found) >= most:
            break
        found.update((*above(name), name))
    return found
