"""How often somebody may ask: token buckets in Redis, with a handful of tokens at hand here.

A bucket holds as many tokens as the rate allows in its time, and fills evenly. It lives in Redis, so that all
processes draw from one. Who asks often is not worth a round trip each time: the faster somebody empties what
was fetched for him, the more is fetched at once, up to a small share of the whole; who was refused is
refused without a trip until there can be a token. Where Redis does not answer nobody is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil

from attrs import define, field, frozen

from caching.coalesce import Coalescer, TookTooLong
from caching.figures import Figure, counter
from caching.packing import plain
from caching.rate import Rate
from caching.redis import Redis, RedisDown

SHARE = 64
"""Of a bucket, one part in so many may be at hand here."""

MOST_AT_HAND = 64
"""Tokens."""

SOON = 1.0
"""Seconds within which a handful must be used up for the next to be twice as large."""

MOST_KEYS = 10_000
"""Callers remembered here; who has not asked for longest is forgotten, with what was fetched for him."""

PATIENCE = 1.0
"""Seconds to wait for a trip others are on; one ends by its own deadline long before."""

# Keys: the bucket, a text "<tokens> <milliseconds since the epoch>". Arguments: tokens it holds, milliseconds
# in which it fills, tokens needed, tokens wanted. Returns tokens given, whole tokens left, and milliseconds
# until what is needed is there. A clock that went back fills nothing.
TAKE = """
local most, fills = tonumber(ARGV[1]), tonumber(ARGV[2])
local needed, wanted = tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local tokens, at = most, now
local held = redis.pcall('GET', KEYS[1])
if type(held) == 'string' then
  local was, when = string.match(held, '^(%S+) (%d+)$')
  if tonumber(was) and tonumber(when) then
    at = math.max(now, tonumber(when))
    tokens = math.min(most, tonumber(was) + (at - tonumber(when)) * most / fills)
  end
end
local given = 0
if tokens >= needed then given = math.max(needed, math.min(wanted, math.floor(tokens))) end
tokens = tokens - given
redis.call('SET', KEYS[1], string.format('%.6f %d', tokens, at), 'PX', fills + 1000)
local wait = 0
if given == 0 then wait = math.ceil((needed - tokens) * fills / most) end
return {given, math.floor(tokens), wait}
"""


@frozen
class Verdict:
    """Whether somebody may go on.

    Attributes:
        allowed: whether the tokens were taken.
        remaining: tokens left, a little more or less; ``None`` where nobody counts, or nobody knows.
        reset_seconds: until all tokens are back.
        retry_seconds: until asking again makes sense, at least 1 where it was refused.
    """

    allowed: bool
    remaining: int | None = None
    reset_seconds: int = 0
    retry_seconds: int = 0


UNKNOWN = Verdict(allowed=True)


@define(eq=False)
class _Hand:
    """What is known here of one caller.

    Attributes:
        tokens: fetched for him, and not used yet.
        left: tokens in his bucket at ``at``.
        at: seconds, when somebody looked into it.
        size: of the next handful.
        bare_until: seconds until there can be what he was refused last.
        refused: tokens he was refused last.
    """

    tokens: int = 0
    left: int = 0
    at: float = float("-inf")
    size: int = 1
    bare_until: float = float("-inf")
    refused: int = 0


@define(eq=False, repr=False)
class Limiter:
    """Counts what each caller takes.

    Attributes:
        name: of the limit: plain, a part of keys in Redis.
        rate: of each caller; ``None``: nobody is refused.
        redis: connected, or not.
        seconds: a monotonic clock.
        shared_by: of the installation, which may share its Redis with others.
        taken: tokens, so far.
        refused: calls, so far.
        trips: to Redis, so far.
        failures: trips that led to nothing, so far: whoever asked meanwhile was let through.
    """

    name: str
    rate: Rate | None
    redis: Redis
    seconds: Callable[[], float]
    shared_by: str = "cheeseshop"
    taken: int = field(default=0, init=False)
    refused: int = field(default=0, init=False)
    trips: int = field(default=0, init=False)
    failures: int = field(default=0, init=False)
    _hands: dict[str, _Hand] = field(factory=dict, init=False)
    _trips: Coalescer[None] = field(factory=Coalescer, init=False)

    def __repr__(self) -> str:
        return (
            f"<Limiter {self.name} {self.rate or 'off'}, {self.taken} taken in {self.trips} trips, "
            f"{self.refused} refused>"
        )

    def figures(self) -> Iterator[Figure]:
        """What was taken and refused, and how Redis did."""
        about = self.name
        yield counter("rate_limit_taken", "Calls that counted against a limit.", self.taken, limit=about)
        yield counter("rate_limit_refused", "Calls refused by a limit.", self.refused, limit=about)
        yield counter("rate_limit_trips", "Looks into the buckets in Redis.", self.trips, limit=about)
        failed = "Of those, looks that failed: nobody was refused."
        yield counter("rate_limit_failures", failed, self.failures, limit=about)

    async def take(self, key: str, cost: int = 1) -> Verdict:
        """Take tokens from a caller's bucket: all that are asked for, or none.

        Args:
            key: who asks.
            cost: at least 1; more than a bucket holds counts as all it holds.

        Returns:
            that it is allowed, also where Redis does not answer.
        """
        if self.rate is None:
            return UNKNOWN
        cost = min(cost, self.rate.amount)
        hand = self._hand(key)
        while True:
            now = self.seconds()
            if hand.tokens >= cost:
                hand.tokens -= cost
                self.taken += cost
                return self._verdict(hand, self.rate, now)
            if now < hand.bare_until and cost >= hand.refused:
                self.refused += 1
                return self._verdict(hand, self.rate, now, refused=True)
            trip = self._trips.under_way(key) or self._trips.start(key, lambda: self._fetch(key, hand, cost))
            try:
                await trip.result(PATIENCE, self.redis.reactor)
            except (RedisDown, TookTooLong):
                return UNKNOWN

    def _hand(self, key: str) -> _Hand:
        hand = self._hands.pop(key, None) or _Hand()
        self._hands[key] = hand  # the last is who asked last
        if len(self._hands) > MOST_KEYS:
            del self._hands[next(iter(self._hands))]
        return hand

    async def _fetch(self, key: str, hand: _Hand, cost: int) -> None:
        """Fetch what a call needs that the hand does not have, and a handful more for one who is fast.

        Raises:
            RedisDown: nothing is known.
        """
        assert self.rate is not None
        began = self.seconds()
        most = min(MOST_AT_HAND, self.rate.amount // SHARE)
        hand.size = max(1, min(most, 2 * hand.size)) if began - hand.at <= SOON else 1
        needed = cost - hand.tokens
        arguments = [self.rate.amount, self.rate.seconds * 1000, needed, max(needed, hand.size)]
        place = f"{plain(self.shared_by)}:rate:{plain(self.name)}:{plain(key)}"
        self.trips += 1
        try:
            given, left, wait = await self.redis.command("eval", TAKE, [place], arguments)
        except RedisDown:
            self.failures += 1
            raise
        hand.tokens, hand.left, hand.at = hand.tokens + given, left, began
        if not given:
            hand.bare_until, hand.refused = self.seconds() + wait / 1000, cost

    def _verdict(self, hand: _Hand, rate: Rate, now: float, *, refused: bool = False) -> Verdict:
        """What is to be said; the bucket has filled since somebody looked into it."""
        filled = (now - hand.at) * rate.amount / rate.seconds
        remaining = min(rate.amount, int(hand.tokens + hand.left + filled))
        return Verdict(
            allowed=not refused,
            remaining=remaining,
            reset_seconds=ceil((rate.amount - remaining) * rate.seconds / rate.amount),
            retry_seconds=max(1, ceil(hand.bare_until - now)) if refused else 0,
        )
