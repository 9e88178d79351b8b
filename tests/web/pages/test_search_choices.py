"""What a search can be narrowed to."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pypi.search.inquiry import MOST_CLASSIFIERS, Inquiry, Order
from pypi.search.results import Results
from pypi.web.pages.search import meant
from pypi.web.pages.search_choices import MOST_IN_TREE, Branch, branches, chosen, orders, path

FOUND = Results(
    classifiers=(
        ("Topic", 9),
        ("Topic :: Internet", 7),
        ("Topic :: Internet :: FTP", 1),
        ("Typing", 3),
        ("Typing :: Typed", 3),
    )
)


def shape(found: Sequence[Branch]) -> list[object]:
    return [
        (
            branch.choice.label,
            branch.choice.count,
            branch.choice.chosen,
            branch.is_open,
            shape(branch.below),
        )
        for branch in found
    ]


def test_path() -> None:
    """A question has one address."""
    assert path(Inquiry()) == "/search/"
    inquiry = Inquiry(
        text="brie & co",
        classifiers=("A :: B", "C"),
        python="3.12",
        wheels=True,
        order=Order.DATE,
        page=2,
    )
    assert path(inquiry) == "/search/?q=brie+%26+co&c=A+%3A%3A+B&c=C&python=3.12&wheels=1&o=date&page=2"


def test_chosen() -> None:
    """What was chosen can be given up, one by one, which leads to the first page of what is found then."""
    inquiry = Inquiry(text="x", classifiers=("A", "B"), python="3.12", wheels=True, page=3)
    assert [(one.label, one.url) for one in chosen(inquiry)] == [
        ("A", "/search/?q=x&c=B&python=3.12&wheels=1"),
        ("B", "/search/?q=x&c=A&python=3.12&wheels=1"),
        ("Python 3.12", "/search/?q=x&c=A&c=B&wheels=1"),
        ("Has wheels", "/search/?q=x&c=A&c=B&python=3.12"),
    ]
    assert chosen(Inquiry(text="x", order=Order.DATE)) == []


def test_orders() -> None:
    """Another order begins with the first page."""
    found = orders(Inquiry(text="x", order=Order.DATE, page=3))
    assert [(one.label, one.url, one.chosen) for one in found] == [
        ("Relevance", "/search/?q=x", False),
        ("Newest", "/search/?q=x&o=date", True),
        ("Downloads", "/search/?q=x&o=downloads", False),
    ]
    assert [(one.label, one.chosen) for one in orders(Inquiry())] == [("Newest", False), ("Downloads", True)]
    assert [one.chosen for one in orders(Inquiry(order=Order.DATE))] == [True, False]


def test_branches() -> None:
    """Every classifier of what was found can be chosen; branches are open where one below them is."""
    inquiry = Inquiry(text="x", classifiers=("Topic :: Internet",), page=2)
    found = branches(inquiry, FOUND)
    ftp = ("FTP", 1, False, False, [])
    assert shape(found) == [
        ("Topic", 9, False, True, [("Internet", 7, True, False, [ftp])]),
        ("Typing", 3, False, False, [("Typed", 3, False, False, [])]),
    ]
    [topic, typing] = found
    assert topic.choice.url == "/search/?q=x&c=Topic"
    assert topic.below[0].choice.url == "/search/?q=x"
    assert typing.choice.url == "/search/?q=x&c=Topic+%3A%3A+Internet&c=Typing"


def test_narrower() -> None:
    """What is narrower takes the place of what stands above it, and what is broader of what is below."""
    [topic, _] = branches(Inquiry(classifiers=("Topic",)), FOUND)
    assert topic.below[0].choice.url == "/search/?c=Topic+%3A%3A+Internet"
    [topic, _] = branches(Inquiry(classifiers=("Topic :: Internet :: FTP", "Typing")), FOUND)
    assert topic.choice.url == "/search/?c=Topic&c=Typing"


def test_unknown_choice() -> None:
    """A classifier that nothing found has is there as long as it is chosen."""
    found = branches(Inquiry(classifiers=("Private :: X",)), Results())
    assert shape(found) == [("Private", None, False, True, [("X", None, True, False, [])])]


def test_no_more_than_can_be_asked() -> None:
    """No link leads to a question that is too long to be asked."""
    many = tuple(f"A{number}" for number in range(MOST_CLASSIFIERS))
    for branch in branches(Inquiry(classifiers=many), FOUND):
        assert branch.choice.url.count("c=") <= MOST_CLASSIFIERS


def test_not_all() -> None:
    """Of very many classifiers those are shown that most projects have."""
    many = [(f"Topic :: {number:04}", number) for number in range(1000)]
    [topic] = branches(Inquiry(), Results(classifiers=many))
    assert MOST_IN_TREE / 2 < len(topic.below) <= MOST_IN_TREE
    assert topic.below[-1].choice.count == 999


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({}, {}),
        ({"q": [""], "c": ["", " "], "python": [""], "wheels": ["0"], "o": ["relevance"], "page": ["1"]}, {}),
        ({"q": [" Brie\t KNIFE "]}, {"q": ["brie knife"]}),
        ({"c": ["B", "A", "B"]}, {"c": ["A", "B"]}),
        ({"o": ["-created"]}, {"o": ["date"]}),
        ({"o": ["-zscore"], "q": ["a"]}, {"o": ["downloads"], "q": ["a"]}),
        ({"o": ["sideways"], "page": ["none"], "wheels": ["many"], "q": ["a"]}, {"q": ["a"]}),
        ({"page": ["0"]}, {}),
        ({"page": ["99999999999999999999"]}, {}),
        ({"page": ["07"]}, {"page": ["7"]}),
        ({"python": ["9"], "o": ["date"], "c": []}, {"python": ["9"], "o": ["date"]}),
        ({"q": ["x" * 999]}, {"q": ["x" * 999]}),
    ],
)
def test_meant(given: dict[str, list[str]], kept: dict[str, list[str]]) -> None:
    """All who mean the same share an answer; who means nothing that can be asked is told so."""
    assert meant(given) == kept
