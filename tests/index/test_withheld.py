"""What is known of files that are withheld, when looks for them overtake each other."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from pypi.index.withheld import Withheld


@define(eq=False)
class Slow:
    """A database that answers each look when it is told to."""

    looks: list[Deferred[frozenset[str]]] = field(factory=list)

    async def scan(self, function: Any) -> frozenset[str]:
        self.looks.append(Deferred())
        return await self.looks[-1]


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def withheld(slow: Slow) -> Withheld:
    return Withheld(slow, Clock())  # type: ignore[arg-type]


def look(withheld: Withheld) -> Deferred[None]:
    return Deferred.fromCoroutine(withheld.look())


def test_who_has_looked_knows(withheld: Withheld, slow: Slow) -> None:
    """A look that ends is known at once, though another has begun since and is not over."""
    first, second = look(withheld), look(withheld)
    slow.looks[0].callback(frozenset({"aa"}))
    assert first.called
    assert not second.called
    assert withheld.digests == {"aa"}
    slow.looks[1].callback(frozenset({"aa", "bb"}))
    assert withheld.digests == {"aa", "bb"}


def test_what_is_older_undoes_nothing(withheld: Withheld, slow: Slow) -> None:
    """A look that began before another and ends after it has seen less, and changes nothing."""
    look(withheld)
    look(withheld)
    slow.looks[1].callback(frozenset({"aa"}))
    slow.looks[0].callback(frozenset())
    assert withheld.digests == {"aa"}


def test_failing_undoes_nothing(withheld: Withheld, slow: Slow) -> None:
    """A look that fails leaves what is known, and what an older one will say."""
    look(withheld)
    look(withheld)
    slow.looks[1].errback(RuntimeError("away"))
    slow.looks[0].callback(frozenset({"aa"}))
    assert withheld.digests == {"aa"}
