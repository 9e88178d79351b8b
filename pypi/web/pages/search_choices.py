"""What a search can be narrowed to, and how to be rid of that again: each choice is a link."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, frozen

from pypi.domain.classifiers import Node, above, most_common, tree
from pypi.search.inquiry import MOST_CLASSIFIERS, Inquiry, Order
from pypi.search.results import Results

MOST_IN_TREE = 150
"""Classifiers in the tree of a page; there are many more, but nobody reads them."""

ORDERS = {Order.RELEVANCE: "Relevance", Order.DATE: "Newest", Order.DOWNLOADS: "Downloads"}


@frozen(kw_only=True)
class Choice:
    """Something to choose, or to be rid of.

    Attributes:
        url: of the page with it, or without.
        chosen: whether it is chosen already.
        count: projects that would be left, as far as they were counted.
    """

    label: str
    url: str
    chosen: bool = False
    count: int | None = None


@frozen(kw_only=True)
class Branch:
    """A classifier to choose; ``is_open`` where one of those below it is chosen."""

    choice: Choice
    below: Sequence[Branch]
    is_open: bool


def path(inquiry: Inquiry) -> str:
    """Where the answer to a question is."""
    return f"/search/?{inquiry.query}" if inquiry.parameters else "/search/"


def chosen(inquiry: Inquiry) -> list[Choice]:
    """What the search was narrowed to; each link leads to the same question without it."""
    first = evolve(inquiry, page=1)
    found = [
        Choice(label=name, url=path(evolve(first, classifiers=_without(name, inquiry.classifiers))))
        for name in inquiry.classifiers
    ]
    if inquiry.python:
        found.append(Choice(label=f"Python {inquiry.python}", url=path(evolve(first, python=""))))
    if inquiry.wheels:
        found.append(Choice(label="Has wheels", url=path(evolve(first, wheels=False))))
    return found


def orders(inquiry: Inquiry) -> list[Choice]:
    """In which orders the same can be shown.

    Where no words say what is relevant, that is what is downloaded most.
    """
    here = inquiry.order if inquiry.text or inquiry.order is Order.DATE else Order.DOWNLOADS
    return [
        Choice(label=label, url=path(evolve(inquiry, order=order, page=1)), chosen=order is here)
        for order, label in ORDERS.items()
        if inquiry.text or order is not Order.RELEVANCE
    ]


def branches(inquiry: Inquiry, results: Results) -> list[Branch]:
    """The tree of classifiers that what was found has, as far as it is worth showing."""
    counts = dict(results.classifiers)
    shown = most_common(counts, MOST_IN_TREE).union(inquiry.classifiers)
    names = [name for name, _ in results.classifiers if name in shown]
    names += [name for name in inquiry.classifiers if name not in counts]
    return [_branch(node, evolve(inquiry, page=1)) for node in tree(names, counts)]


def _branch(node: Node, inquiry: Inquiry) -> Branch:
    name, classifiers = node.name, inquiry.classifiers
    is_chosen = name in classifiers
    wanted = _without(name, classifiers) if is_chosen else _with(name, classifiers)
    choice = Choice(
        label=node.label,
        url=path(evolve(inquiry, classifiers=wanted)),
        chosen=is_chosen,
        count=node.count,
    )
    below = [_branch(one, inquiry) for one in node.children]
    is_open = any(name in above(one) for one in classifiers)
    return Branch(choice=choice, below=below, is_open=is_open)


def _without(name: str, classifiers: Sequence[str]) -> tuple[str, ...]:
    return tuple(one for one in classifiers if one != name)


def _with(name: str, classifiers: Sequence[str]) -> tuple[str, ...]:
    """With one more, in the place of those above and below it."""
    rest = [one for one in classifiers if one not in above(name) and name not in above(one)]
    return tuple(sorted([*rest, name])[:MOST_CLASSIFIERS])
