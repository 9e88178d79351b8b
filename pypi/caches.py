"""The caches of one process, put together: what is kept where, how it is forgotten, and who serves it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from importlib.resources import files as resources
from random import random
from typing import Any

from attrs import field, frozen

from caching.breaker import Breaker
from caching.invalidations import Change, Invalidations
from caching.lane import FastLane
from caching.layered import Ladder
from caching.memory import Memory
from caching.moment import Moment
from caching.policy import FASTLY, VARNISH
from caching.redis import Redis
from caching.shared import RedisStore
from caching.tags import Known
from pypi import __version__
from pypi.config import Config
from pypi.db.database import Database
from pypi.db.notify import Notifications
from pypi.db.queries import journal
from pypi.domain.cache_tags import PRIVATE, WITHHELD
from pypi.domain.errors import Refusal, Unavailable
from pypi.failpoints import failpoint
from pypi.http.access_log import AccessLog
from pypi.http.hosts import Hosts
from pypi.http.keeping import Keeper
from pypi.http.limits import Limits
from pypi.http.overheard import Murmur, Overheard
from pypi.http.plain import PlainReader
from pypi.index.private import names_in
from pypi.metrics.readings import Reading, of_invalidations, of_ladder, of_memory, of_shared

NAME = "cheeseshop"

MAKERS = ("pypi.domain", "pypi.http", "pypi.index", "pypi.search", "pypi.web", "legacy_compat", "templates")
"""Packages that decide what is in an answer."""

LAGGING = 1.8
"""Seconds without news from the database after which nobody waits long for it; it is asked every second."""

DIALECTS = {"fastly": FASTLY, "varnish": VARNISH}


@frozen(kw_only=True, eq=False)
class Caches:
    """What one process keeps, and how it hears that it has to forget.

    Attributes:
        ladder: answers from the first rung that has it.
        shared: its second rung.
        invalidations: keep it true.
        notifications: say at once what changed elsewhere.
        keeper: stands between routes and ladder.
        lane: answers before there is a request; ``None`` where that is switched off.
    """

    ladder: Ladder
    shared: RedisStore
    invalidations: Invalidations
    notifications: Notifications = field(repr=False)
    keeper: Keeper
    lane: FastLane | None

    @property
    def parts(self) -> tuple[Any, ...]:
        """What has to be started, in this order, once the database is."""
        return self.ladder.moment, self.invalidations, self.notifications

    @property
    def readings(self) -> tuple[Reading, ...]:
        """What shows figures of them."""
        return (
            Reading(lambda: of_memory(self.ladder.memory)),
            Reading(lambda: of_ladder(self.ladder)),
            Reading(lambda: of_shared(self.shared)),
            Reading(lambda: of_invalidations(self.invalidations)),
        )


def caches(
    config: Config,
    reactor: Any,
    *,
    database: Database,
    redis: Redis,
    hosts: Hosts,
    limits: Limits,
    wall: Callable[[], float],
    shown: Sequence[str],
    log: AccessLog | Murmur | None = None,
    overheard: Overheard | None = None,
    on_withheld: Callable[[], object] = bool,
    on_private: Callable[[Iterable[str] | None], object] = bool,
) -> Caches:
    """Put them together, by the ``[cache]`` and ``[edge]`` sections.

    Args:
        hosts: the names of the index.
        wall: POSIX seconds.
        shown: what else answers depend on, such as the URL of this index: what others who share the Redis
            have made is used only where it is the same.
        log: what the fast lane writes to.
        overheard: listens to it.
        on_withheld: told that something may be handed out no more, or again.
        on_private: told that others may read projects, by their normalized names; ``None`` for any.
    """
    known = Known()
    memory = Memory(config.cache.memory)
    moment = Moment(reactor, wall, b"Cheeseshop", NAME)
    shared = RedisStore(redis, known, version=maker(*shown, config.edge.purger, config.access.reads))
    ladder = Ladder(
        memory=memory,
        shared=shared,
        known=known,
        moment=moment,
        breaker=Breaker(reactor.seconds, random),
        failure=Unavailable,
        verdict=Refusal,
        reactor=reactor,
        wall=wall,
        chance=random,
    )

    reader = PlainReader(
        hosts, limits, None if log is None else log.lines, None if overheard is None else overheard.speaks
    )
    # The lane answers whoever comes directly, and nobody does so by HTTPS; and it asks nobody who he is.
    lane = FastLane(memory, moment, reader, log) if _has_lane(config) else None

    def forget(serial: int, tags: tuple[str, ...]) -> None:
        if WITHHELD in tags:
            memory.drop(serial, tags)
            withhold()
        else:
            memory.forget(serial, tags)
        if WITHHELD in tags or PRIVATE in tags:
            on_private(names_in(tags))

    def forget_all() -> None:
        memory.forget_all()
        withhold()
        on_private(None)

    def withhold() -> None:
        if lane is not None:
            lane.kept_files.forget_all()
        on_withheld()

    async def since(serial: int, limit: int) -> Sequence[Change]:
        return await database.read(journal.changes_since, serial, limit)

    invalidations = Invalidations(
        clock=reactor,
        known=known,
        since=since,
        last=lambda: database.read(journal.last_serial),
        forget=forget,
        forget_all=forget_all,
        shared=shared,
        on_health=ladder.trust,
        on_doubt=ladder.doubt,
    )

    def hear(first: int, last: int, tags: Sequence[str]) -> None:
        failpoint("hear.before-apply")
        invalidations.hear(first, last, tags)

    if overheard is not None:
        overheard.pages = memory.pages
    ladder.source_lags = lambda: invalidations.behind_seconds > LAGGING
    return Caches(
        ladder=ladder,
        shared=shared,
        invalidations=invalidations,
        notifications=Notifications(database.dsn, reactor, hear=hear, hint=invalidations.hint),
        keeper=Keeper(ladder=ladder, dialect=DIALECTS.get(config.edge.purger)),
        lane=lane,
    )


def _has_lane(config: Config) -> bool:
    return config.cache.lane and not config.service.require_https and config.access.reads == "public"


def maker(*shown: str) -> str:
    """A name of the software that makes answers, and of what it shows in them: others may make other ones."""
    made_by = blake2b(repr((__version__, *shown)).encode(), digest_size=10)
    for package in MAKERS:
        for path in sorted(_files(resources(package))):
            made_by.update(path.read_bytes())
    return made_by.hexdigest()


def _files(folder: Any) -> Iterator[Any]:
    for path in folder.iterdir():
        if path.is_dir():
            yield from _files(path)
        elif not path.name.endswith(".pyc"):
            yield path
