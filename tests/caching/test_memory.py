"""Memory: what stays when there is not room for all, what is forgotten, and how much it weighs."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from random import Random

import pytest

from caching.kept import Heads, Kept
from caching.memory import LARGEST, MOST_REMEMBERED, MOST_SPARED, Memory
from caching.stats import RouteStats
from tests.caching.support import a_kept, an_entry, chooser

HEADS, STATS = Heads(), RouteStats("")


def page(number: int, size: int = 1000, *, serial: int = 0, tags: tuple[str, ...] = ()) -> Kept:
    """An answer of that many bytes."""
    entry = an_entry(b"x" * size, serial=serial, tags=tags)
    return a_kept(f"/{number}/", entry=entry, heads=HEADS, stats=STATS)


def room_for(pages: int) -> Memory:
    """A memory for so many pages of 1000 bytes."""
    return Memory(page(10_000).size * pages)


def ask(memory: Memory, number: int) -> bool:
    """Ask for a page as the ladder does: use it, or have it made."""
    kept = memory.get(b"/%d/" % number, "html")
    if kept is None:
        memory.put(page(number), chooser)
        return False
    kept.uses += 1
    return True


def weigh(memory: Memory) -> None:
    """Everything that is counted is what is there."""
    kept = list(memory)
    assert memory.size == sum(one.size for one in kept) <= memory.limit
    assert len(memory) == len(kept) == sum(len(page.kept) for page in memory.pages.values())
    assert all(page.kept for page in memory.pages.values())
    assert {tag for one in kept for tag in one.tags} == set(memory._by_tag)
    assert memory._newcomer_bytes == sum(one.size for one in kept if not one.resident)
    places = [place.kept for place in (*memory._newcomers, *memory._residents) if place.kept is not None]
    assert sorted(map(id, places)) == sorted(map(id, kept))


# Room


def test_the_bound_holds_whatever_happens() -> None:
    """Through thousands of random changes no byte is over the bound, and none is miscounted."""
    rng = Random(7)
    memory = room_for(50)
    for step in range(5000):
        number = int(rng.paretovariate(0.5)) % 300
        match rng.randrange(6):
            case 0 | 1 | 2:
                ask(memory, number)
            case 3:
                tags = tuple(rng.sample(("a", "b", "c", f"p/{number}"), 2))
                memory.put(page(number, rng.randrange(1, 9000), serial=step, tags=tags), chooser)
            case 4:
                memory.forget(step, (rng.choice(("a", "b", f"p/{number}")),))
            case 5:
                kept = memory.get(b"/%d/" % number, "html")
                if kept is not None:
                    kept.plain = None
                    memory.grow(kept, page(0, rng.randrange(5000)).packed)
        assert memory.size <= memory.limit
        if not step % 100:
            weigh(memory)
    weigh(memory)
    assert memory.evicted > 100


def test_a_crawler_drives_nothing_out() -> None:
    """Who asks for everything once leaves in place what is asked for again and again."""
    memory = room_for(100)
    for _ in range(3):
        for number in range(60):
            ask(memory, number)
    for number in range(1000, 3000):
        ask(memory, number)
        if not number % 20:
            ask(memory, number % 60)
    assert sum(memory.get(b"/%d/" % number, "html") is not None for number in range(60)) >= 58


def test_what_nobody_uses_any_more_goes() -> None:
    """What was popular once gives way to what is popular now."""
    memory = room_for(100)
    for generation in (0, 1000, 2000):
        for _ in range(8):
            for number in range(generation, generation + 80):
                ask(memory, number)
    hits = sum(ask(memory, number) for number in range(2000, 2080))
    assert hits >= 78
    weigh(memory)


def test_who_comes_back_stays() -> None:
    """What was dropped for want of room, and is asked for again, is no newcomer."""
    memory = room_for(10)
    for number in range(30):
        ask(memory, number)
    assert memory.get(b"/0/", "html") is None
    ask(memory, 0)
    kept = memory.get(b"/0/", "html")
    assert kept is not None
    assert kept.resident


def test_addresses_remembered_are_bounded() -> None:
    """However many addresses are asked for, only so many are remembered."""
    memory = room_for(8)
    for number in range(MOST_REMEMBERED + 500):
        memory.put(page(number, 10), chooser)
    assert len(memory._remembered) == MOST_REMEMBERED


def test_what_is_too_large_is_not_kept() -> None:
    """One answer may not fill the memory."""
    memory = Memory(100_000)
    assert not memory.put(page(1, 100_000 // LARGEST), chooser)
    assert memory.put(page(2, 100_000 // LARGEST - 2000), chooser)
    assert [kept.address for kept in memory] == [b"/2/"]


def test_room_is_found_in_bounded_time() -> None:
    """Where everything has been used, making room looks at a bounded number of answers."""
    memory = room_for(4 * MOST_SPARED)
    for _ in range(4):
        for number in range(4 * MOST_SPARED):
            ask(memory, number)
    before = [kept.uses for kept in memory]
    memory.put(page(10**6), chooser)
    after = [kept.uses for kept in memory]
    assert sum(a > b for a, b in zip(before, after, strict=False)) <= MOST_SPARED + 2
    weigh(memory)


# Replacing


def test_a_newer_answer_takes_the_place_of_an_older_one() -> None:
    """One address has one answer per representation, and an older one never replaces a newer."""
    memory = Memory(1 << 20)
    assert memory.put(page(1, 10, serial=5), chooser)
    assert memory.put(page(1, 20, serial=6), chooser)
    assert not memory.put(page(1, 30, serial=5), chooser)
    assert [(kept.serial, len(kept.packed.body)) for kept in memory] == [(6, 20)]
    weigh(memory)


def test_representations_are_apart() -> None:
    """Two representations of an address are kept side by side."""
    memory = Memory(1 << 20)
    memory.put(a_kept(variant="html"), chooser)
    memory.put(a_kept(variant="json"), chooser)
    assert set(memory.pages[b"/x/"].kept) == {"html", "json"}
    assert memory.pages[b"/x/"].chooser is chooser
    weigh(memory)


def test_popularity_is_inherited() -> None:
    """A page that is made anew is as popular as it was."""
    memory = Memory(1 << 20)
    memory.put(page(1), chooser)
    ask(memory, 1)
    memory.put(page(1, serial=1), chooser)
    [kept] = memory
    assert (kept.uses, kept.resident) == (1, True)


def test_nothing_is_left_of_what_was_replaced() -> None:
    """A large answer that changes all the time is in memory once."""
    memory = Memory(1 << 20)
    places = []
    for serial in range(100):
        memory.put(kept := page(1, 50_000, serial=serial), chooser)
        places.append(kept.place)
    assert [place.kept for place in places if place is not None] == [None] * 99 + [kept]
    assert len(memory._newcomers) + len(memory._residents) < 70
    tracemalloc.start()
    try:
        for serial in range(100, 160):
            memory.put(page(1, 50_000, serial=serial), chooser)
        assert tracemalloc.get_traced_memory()[0] < 120_000
    finally:
        tracemalloc.stop()


# Forgetting


def test_a_change_touches_what_has_its_tag() -> None:
    """What is older than the change is touched once; what has seen it is not; nor is anything else."""
    memory = Memory(1 << 20)
    memory.put(page(1, serial=5, tags=("a", "all")), chooser)
    memory.put(page(2, serial=9, tags=("a", "all")), chooser)
    memory.put(page(3, serial=5, tags=("b", "all")), chooser)
    assert memory.forget(7, ("a", "nothing")) == 1
    assert [kept.touched for kept in memory] == [True, False, False]
    assert memory.forget(7, ("a",)) == 0
    assert memory.forget(10, ("all",)) == 2
    assert all(kept.fresh_until == kept.good_until == float("-inf") for kept in memory)


def test_what_was_touched_goes_first() -> None:
    """Outdated answers make room before others, however often they were used."""
    memory = room_for(20)
    for _ in range(3):
        for number in range(18):
            ask(memory, number)
    for number in range(5):
        for kept in memory:
            if kept.address == b"/%d/" % number:
                kept.touch()
    for number in range(100, 107):
        memory.put(page(number), chooser)
    left = {kept.address for kept in memory}
    assert left >= {b"/%d/" % number for number in range(5, 18)}


def test_tags_of_what_is_gone_are_gone() -> None:
    """Tags cost nothing once nothing has them; a tag said twice is one."""
    memory = Memory(page(1).size * 10)
    for number in range(200):
        memory.put(page(number, tags=(f"p/{number}", "all", "all")), chooser)
    assert len(memory._by_tag) == len(memory) + 1
    weigh(memory)


def test_forgetting_everything() -> None:
    """When nobody knows what has changed, everything is touched."""
    memory = room_for(10)
    for number in range(5):
        ask(memory, number)
    memory.forget_all()
    assert [kept.touched for kept in memory] == [True] * 5


# Growing


def test_a_further_form_is_counted() -> None:
    """The form without compression is kept once, where it fits, and only of what is there."""
    memory = Memory(100_000)
    kept = a_kept(entry=an_entry(b"x" * 100, packed=True))
    memory.grow(kept, kept.unpacked(b"y" * 300))
    assert kept.plain is None
    memory.put(kept, chooser)
    memory.grow(kept, kept.unpacked(b"y" * 100_000))
    assert kept.plain is None
    form = kept.unpacked(b"y" * 300)
    memory.grow(kept, form)
    memory.grow(kept, kept.unpacked(b"z" * 300))
    assert kept.plain is form
    weigh(memory)


# Weight


@pytest.mark.parametrize(("size", "pages"), [(6_000, 2_000), (60_000, 500)])
@pytest.mark.parametrize("growing", [False, True])
def test_the_weight_is_honest(size: int, pages: int, growing: bool) -> None:
    """A page takes as much memory as is counted, within 3 %; at most 1.3 × its gzip bytes and 1.5 kB."""
    # Tags are interned, and Python's own table of such strings grows by leaps: it has done so beforehand.
    fill(Memory(1 << 30), Random(1), size, pages, growing)
    rng = Random(1)
    memory = Memory(1 << 30)
    counted = measured(lambda: fill(memory, rng, size, pages, growing))
    assert counted == pytest.approx(memory.size, rel=0.03)
    if not growing:
        assert counted / pages <= 1.3 * size + 1500


def fill(memory: Memory, rng: Random, size: int, pages: int, growing: bool) -> None:
    """Keep so many pages, each with bytes, lines and tags of its own."""
    for number in range(pages):
        entry = an_entry(
            rng.randbytes(size),
            packed=True,
            etag=f'"{number:020}"',
            tags=(f"project/some-project-{number:06}",),
            serial=10_000_000 + number,
            headers=(("X-PyPI-Last-Serial", str(10_000_000 + number)),),
        )
        path = f"/simple/some-project-{number:06}/"
        kept = a_kept(path, entry=entry, until=float(number), heads=HEADS, stats=STATS)
        memory.put(kept, chooser)
        if growing:
            memory.grow(kept, kept.unpacked(rng.randbytes(size)))


def measured(work: Callable[[], None]) -> int:
    """Bytes that stay allocated."""
    gc.collect()
    tracemalloc.start()
    try:
        work()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
