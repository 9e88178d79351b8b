"""Counting the use of features, and listening to the fast lane."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from attrs import define, field
from twisted.internet.task import Clock

from caching.memory import Page
from caching.stats import Routes, RouteStats
from pypi.domain.features import FEATURES
from pypi.http import usage
from pypi.http.log_lines import Combined, Json, Lines
from pypi.http.noted import FeatureStats
from pypi.http.overheard import LOOKED_AT, MOST_SPEAKERS, NOW_AND_THEN, SAMPLED, Murmur, Overheard, Slow
from pypi.http.usage import Seen, Sum, Usage, shared

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
PIP, CURL = b'pip/24.0 {"ci":null}', b"curl/8.5.0"


@define
class Kept:
    """A kept answer, as far as it is counted."""

    stats: RouteStats


@define
class World:
    """A lane that answers one page, in HTML and JSON, and what listens to it."""

    lines: Lines = field(factory=Combined)
    routes: Routes = field(factory=Routes)
    now: datetime = NOON
    written: list[bytes] = field(factory=list)
    overheard: Overheard = field(init=False)
    usage: Usage = field(init=False)

    def __attrs_post_init__(self) -> None:
        page = Page(lambda accept, given: accept or "html")
        for kind in ("html", "json"):
            stats = FeatureStats("/page/", f"simple.{kind}")
            page.kept[kind] = Kept(stats)  # type: ignore[assignment]
            self.routes.add(stats)
        self.overheard = Overheard(self.lines, {b"/page/": page})
        self.usage = Usage(self.routes, self.overheard, self.flush, lambda: self.now)
        self.page = page

    page: Page = field(init=False)

    def answer(
        self, agent: bytes | None, accept: str | None, times: int = 1, path: bytes = b"/page/"
    ) -> None:
        """The lane answers so many times."""
        suffix = self.lines.suffix(b"http://referer.example/", agent)
        self.overheard.speaks(suffix, agent, accept)
        self.page.kept[accept or "html"].stats.lane += times
        line = (
            self.lines.prefix("192.0.2.1")
            + self.lines.stamp(0.0)
            + self.lines.request(b"GET", path, b"HTTP/1.1")
            + self.lines.answer(200, 17, cache=b"l1; hit", route="/page/")
            + suffix
        )
        self.written += [line] * times

    def flush(self) -> None:
        """Everybody listens."""
        self.overheard.listen(self.written)
        self.written.clear()

    @property
    def counts(self) -> dict[tuple[str, str], int]:
        """What is shown."""
        list(self.usage.figures())
        return self.usage.counts


@pytest.mark.parametrize("lines", [Combined(), Json("0")])
def test_few_hits_of_the_lane_are_counted_one_by_one(lines: Lines) -> None:
    """While there are few, each is counted for its feature and its client, whatever the log looks like."""
    world = World(lines)
    world.answer(PIP, "json", 3)
    world.answer(CURL, None, 2)
    world.answer(None, "json")
    assert world.counts == {
        ("simple.json", "pip 24"): 3,
        ("simple.html", "curl"): 2,
        ("simple.json", "none"): 1,
    }
    assert world.counts == dict(world.counts)
    world.answer(PIP, "html", 5)
    assert world.counts[("simple.html", "pip 24")] == 5


def test_of_many_hits_some_are_looked_at() -> None:
    """Of a large batch a bounded number of lines is looked at; that of each feature is exact all the same."""
    world = World()
    for _ in range(25):
        world.answer(PIP, "json", 30)
        world.answer(CURL, "json", 10)
        world.answer(b"Wget/1.21", "html", 10)
    world.flush()
    looked_at = sum(sum(families.values()) for families in world.overheard.heard.values())
    assert SAMPLED / 2 < looked_at <= SAMPLED
    counts = world.counts
    assert sum(count for (feature, _), count in counts.items() if feature == "simple.json") == 1000
    assert counts[("simple.html", "Wget")] == 250
    assert 500 < counts[("simple.json", "pip 24")] < 1000


def test_one_client_that_means_both() -> None:
    """Where one client asks for both representations the log does not say which; no sum suffers."""
    world = World()
    world.answer(CURL, "json", 3)
    world.answer(CURL, "html", 2)
    assert world.counts == {("simple.json", "curl"): 3, ("simple.html", "curl"): 2}


def test_lines_that_are_not_the_lanes() -> None:
    """Lines of the long way were counted there, and lines of what is in no memory tell nothing."""
    world = World()
    world.answer(PIP, "json", 2)
    world.written[:] = [Slow(world.written[0]), world.written[1]]
    world.answer(PIP, "json", path=b"/other/")
    world.written += [b"", b"nonsense\n", b'x HTTP/1.1" \n']
    world.flush()
    assert world.overheard.heard == {"simple.json": {"pip 24": 1}}
    assert world.counts == {("simple.json", "pip 24"): 3}


def test_hits_of_which_no_line_is_known() -> None:
    """Hits of nobody in particular are counted nevertheless."""
    world = World()
    world.page.kept["html"].stats.lane += 7
    assert world.counts == {("simple.html", "unknown"): 7}


def test_speakers_are_bounded() -> None:
    """Whoever was not heard for long is forgotten, and those who speak are not."""
    world = World()
    for number in range(MOST_SPEAKERS + 100):
        world.overheard.speaks(b"%d" % number, b"curl/8.5.0", None)
        if number % 1000 == 0:
            world.answer(PIP, "json")
            world.flush()
    assert len(world.overheard._speakers) == MOST_SPEAKERS
    assert sum(world.overheard.heard["simple.json"].values()) == 17


async def test_without_a_log() -> None:
    """Where there is no access log, the lane's last lines are listened to now and then."""
    world, clock = World(), Clock()
    murmur = Murmur(clock, world.overheard.listen)
    await murmur.start()
    world.answer(PIP, "json", 100)
    for line in world.written:
        murmur.append(line)
    world.written.clear()
    clock.advance(NOW_AND_THEN)
    assert world.overheard.heard == {"simple.json": {"pip 24": LOOKED_AT}}
    await murmur.stop()
    assert world.counts == {("simple.json", "pip 24"): 100}
    assert clock.getDelayedCalls() == []


def test_what_is_taken_is_taken_once() -> None:
    """Sums are handed out once, by day; what is given back is handed out again with what came since."""
    world = World()
    world.usage.count(("json.project",), PIP)
    world.answer(CURL, "html")
    taken = world.usage.take()
    first = Seen(1, NOON)
    json, html = Sum("2026-11-21", "json.project", "pip 24"), Sum("2026-11-21", "simple.html", "curl")
    assert taken == {json: first, html: first}
    assert world.usage.take() == {}
    world.usage.count(("json.project",), PIP)
    world.now = later = datetime(2026, 11, 21, 13, tzinfo=UTC)
    world.usage.give_back(taken)
    assert world.usage.take() == {json: Seen(2, later), html: first}
    world.usage.count(("json.project",), PIP)
    world.now = datetime(2026, 11, 22, tzinfo=UTC)
    assert world.usage.take() == {Sum("2026-11-22", "json.project", "pip 24"): Seen(1, world.now)}
    assert world.counts[("json.project", "pip 24")] == 3


def test_pairs_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever clients call themselves, there are only so many pairs; the rest is of other clients."""
    monkeypatch.setattr(usage, "MOST_PAIRS", 50)
    world = World()
    for number in range(100):
        world.usage.count(tuple(FEATURES)[:3], b"pip/%d" % number)
    assert len(world.usage.counts) <= 53
    assert sum(world.usage.counts.values()) == 300
    assert world.usage.counts[("simple.html", "other")] == 83


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody takes the sums for long, what comes beyond a bound is dropped, and that is counted."""
    monkeypatch.setattr(usage, "MOST_WAITING", 2)
    world = World()
    for name in ("json.project", "json.release", "changes.list"):
        world.usage.count((name,), PIP)
    taken = world.usage.take()
    assert len(taken) == 2
    assert world.usage.dropped == 1
    world.usage.give_back(taken)
    assert world.usage.take() == taken


@pytest.mark.parametrize(
    ("count", "weights", "parts"),
    [
        (10, {"a": 1, "b": 1}, {"a": 5, "b": 5}),
        (10, {"a": 2, "b": 1}, {"a": 7, "b": 3}),
        (1, {"a": 1, "b": 1, "c": 1}, {"a": 1}),
        (7, {}, {"unknown": 7}),
        (0, {"a": 3}, {}),
        (2, {"a": 5, "b": 5}, {"a": 1, "b": 1}),
    ],
)
def test_shares(count: int, weights: dict[str, int], parts: dict[str, int]) -> None:
    """Parts are whole numbers, and their sum is what was to be shared."""
    assert shared(count, weights) == parts
