"""Classifiers as a tree."""

from __future__ import annotations

from collections.abc import Sequence

from pypi.domain.classifiers import Node, above, most_common, tree

COUNTS = {"Topic": 5, "Topic :: Internet": 4, "Topic :: Internet :: FTP": 1, "Topic :: Games": 2, "Typing": 3}


def shape(nodes: Sequence[Node]) -> list[object]:
    return [(node.label, node.name, node.count, shape(node.children)) for node in nodes]


def test_above() -> None:
    """Above a classifier stands all that its name begins with."""
    assert above("Topic :: Internet :: FTP") == ["Topic", "Topic :: Internet"]
    assert above("Topic") == []


def test_tree() -> None:
    """A tree has what stands above classifiers, too, in the order in which they come."""
    found = tree(
        ["Typing :: Typed", "Topic :: Internet :: FTP", "Topic :: Internet", "Topic :: Games"], COUNTS
    )
    internet = ("Internet", "Topic :: Internet", 4, [("FTP", "Topic :: Internet :: FTP", 1, [])])
    assert shape(found) == [
        ("Typing", "Typing", 3, [("Typed", "Typing :: Typed", None, [])]),
        ("Topic", "Topic", 5, [internet, ("Games", "Topic :: Games", 2, [])]),
    ]
    assert tree([], COUNTS) == []


def test_odd_names() -> None:
    """Whatever somebody calls a classifier, it has one place."""
    found = tree(["Private", "Private :: ", " :: ", "Private :: A::B", "Private"], {})
    assert [node.name for node in found] == ["Private", ""]
    assert [node.label for node in found[0].children] == ["", "A::B"]


def test_most_common() -> None:
    """What most projects have is kept, with what stands above it."""
    assert most_common(COUNTS, 2) == {"Topic", "Topic :: Internet"}
    assert most_common({"A :: B": 3, "C": 2, "D": 1}, 3) == {"A", "A :: B", "C"}
    assert most_common(COUNTS, 100) == set(COUNTS)
    assert most_common({}, 3) == set()
