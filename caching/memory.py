"""L1: whole answers in the memory of one process, bounded in bytes, forgotten by tag.

What is dropped when room is needed is decided as by S3-FIFO (Yang et al., SOSP 2023): a newcomer has to be
asked for again to stay, so that a crawler that asks for everything once drives nothing out; what stays is
looked at in turn, and goes when nobody used it since the last look. A hit costs no more than counting it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from attrs import define, field

from caching.kept import Form, Kept, Place, size_of
from caching.policy import Chooser

NEWCOMERS = 0.1
"""Share of the bytes for what was asked for only once."""

LARGEST = 8
"""An entry larger than one such part of all is not kept."""

MOST_REMEMBERED = 16_384
"""Addresses remembered after they were dropped: who comes back is no newcomer."""

MOST_USES = 3

MOST_SPARED = 500
"""Entries spared in a row, since they were used: then one has to go, or looking for room would take long."""


class Page:
    """All that is kept of one address.

    Attributes:
        chooser: says which representation a client means; ``None`` where there is but one.
        kept: representation → what is kept.
    """

    __slots__ = ("chooser", "kept")

    def __init__(self, chooser: Chooser | None) -> None:
        self.chooser = chooser
        self.kept: dict[str, Kept] = {}


@define(eq=False, repr=False)
class Memory:
    """A bounded store of answers.

    Attributes:
        limit: bytes; never exceeded when a call returns.
        pages: address → page; the fast lane reads it directly.
        size: bytes held now.
        evicted: entries dropped for want of room, so far.
    """

    limit: int
    pages: dict[bytes, Page] = field(factory=dict, init=False)
    size: int = field(default=0, init=False)
    evicted: int = field(default=0, init=False)
    _newcomers: deque[Place] = field(factory=deque, init=False)
    _residents: deque[Place] = field(factory=deque, init=False)
    _newcomer_bytes: int = field(default=0, init=False)
    _remembered: dict[int, None] = field(factory=dict, init=False)
    _by_tag: dict[str, Kept | set[Kept]] = field(factory=dict, init=False)
    _entries: int = field(default=0, init=False)

    def __repr__(self) -> str:
        return f"<Memory {self._entries} answers, {self.size >> 20} of {self.limit >> 20} MB>"

    def __len__(self) -> int:
        return self._entries

    def get(self, address: bytes, variant: str) -> Kept | None:
        """What is kept of a representation, be it fresh or not."""
        page = self.pages.get(address)
        return page.kept.get(variant) if page is not None else None

    def put(self, kept: Kept, chooser: Chooser | None) -> bool:
        """Keep an answer in the place of an older one.

        Returns:
            whether it is kept: not if it is too large, or older than what is there.
        """
        before = self.get(kept.address, kept.variant)
        if kept.size > self.limit // LARGEST or (before is not None and before.serial > kept.serial):
            return False
        if before is not None:
            kept.uses = before.uses
            self._drop(before)
        self._hold(kept, chooser)
        self._make_room()
        self._sweep()
        return kept.held

    def grow(self, kept: Kept, form: Form) -> None:
        """Keep a further form of what is kept."""
        if kept.held and kept.plain is None and kept.size + form.length <= self.limit // LARGEST:
            kept.plain = form
            more = size_of(form)
            self.size += more
            self._newcomer_bytes += 0 if kept.resident else more
            kept.size += more
            self._make_room()

    def forget(self, serial: int, tags: tuple[str, ...]) -> int:
        """A change touched these tags: what is older is not used any more while anything better can be had.

        Returns:
            how many answers it touched.
        """
        touched = 0
        for tag in tags:
            for kept in self._tagged(tag):
                if kept.serial < serial and not kept.touched:
                    kept.touch()
                    touched += 1
        return touched

    def drop(self, serial: int, tags: tuple[str, ...]) -> None:
        """The same, but what is older must not even be used where nothing better can be had."""
        for tag in tags:
            for kept in self._tagged(tag):
                if kept.serial < serial and kept.held:
                    self._drop(kept)

    def forget_all(self) -> None:
        """Nobody knows what has changed."""
        for kept in self:
            kept.touch()

    def __iter__(self) -> Iterator[Kept]:
        for page in tuple(self.pages.values()):
            yield from tuple(page.kept.values())

    # --- what is where ------------------------------------------------------------------------------------

    def _hold(self, kept: Kept, chooser: Chooser | None) -> None:
        page = self.pages.get(kept.address)
        if page is None:
            page = self.pages[kept.address] = Page(chooser)
        page.kept[kept.variant] = kept
        kept.place = Place(kept)
        self.size += kept.size
        self._entries += 1
        for tag in kept.tags:
            self._tag(tag, kept)
        known = hash((kept.address, kept.variant))
        kept.resident = bool(kept.uses) or self._remembered.pop(known, kept) is None
        if kept.resident:
            self._residents.append(kept.place)
        else:
            self._newcomers.append(kept.place)
            self._newcomer_bytes += kept.size

    def _drop(self, kept: Kept) -> None:
        place, kept.place = kept.place, None
        if place is not None:
            place.kept = None
        self.size -= kept.size
        self._newcomer_bytes -= 0 if kept.resident else kept.size
        self._entries -= 1
        for tag in kept.tags:
            self._untag(tag, kept)
        page = self.pages[kept.address]
        if page.kept.get(kept.variant) is kept:
            del page.kept[kept.variant]
        if not page.kept:
            del self.pages[kept.address]

    def _tagged(self, tag: str) -> tuple[Kept, ...]:
        found = self._by_tag.get(tag)
        if found is None:
            return ()
        return (found,) if isinstance(found, Kept) else tuple(found)

    def _tag(self, tag: str, kept: Kept) -> None:
        found = self._by_tag.get(tag)
        if found is None:
            self._by_tag[tag] = kept
        elif isinstance(found, Kept):
            self._by_tag[tag] = {found, kept}
        else:
            found.add(kept)

    def _untag(self, tag: str, kept: Kept) -> None:
        found = self._by_tag.get(tag)
        if isinstance(found, set):
            found.discard(kept)
            if not found:
                del self._by_tag[tag]
        elif found is kept:
            del self._by_tag[tag]

    # --- who has to go ------------------------------------------------------------------------------------

    def _make_room(self) -> None:
        spared = 0
        while self.size > self.limit:
            newcomer = self._newcomers and (
                self._newcomer_bytes > self.limit * NEWCOMERS or not self._residents
            )
            place = (self._newcomers if newcomer else self._residents).popleft()
            kept = place.kept
            if kept is None:
                continue
            if kept.uses and not kept.touched and spared < MOST_SPARED:
                spared += 1
                self._spare(kept, place)
            else:
                self._evict(kept)
                spared = 0

    def _spare(self, kept: Kept, place: Place) -> None:
        if kept.resident:
            kept.uses = min(kept.uses, MOST_USES) - 1
        else:
            self._newcomer_bytes -= kept.size
            kept.resident = True
            kept.uses = 0
        self._residents.append(place)

    def _evict(self, kept: Kept) -> None:
        if not kept.resident:
            self._remember(hash((kept.address, kept.variant)))
        self._drop(kept)
        self.evicted += 1

    def _remember(self, known: int) -> None:
        self._remembered[known] = None
        if len(self._remembered) > MOST_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]

    def _sweep(self) -> None:
        """Clear the queues of what was replaced, before it outweighs what is there."""
        for queue in (self._newcomers, self._residents):
            if len(queue) > 64 + 2 * self._entries:
                alive = [place for place in queue if place.kept is not None]
                queue.clear()
                queue.extend(alive)
