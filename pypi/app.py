"""The composition root: what Cheeseshop is made of, in the order it is packed."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from attrs import field, frozen
from klein.resource import KleinResource
from twisted.logger import Logger

from caching.client import Client
from caching.redis import Redis
from pypi import front
from pypi.accounts.accounts import Accounts
from pypi.acts import acts
from pypi.browsing import browsing
from pypi.caches import Caches, caches
from pypi.chores import chores
from pypi.config import Config
from pypi.configured import file_store, handoff, hosts, old_hosts, purger, rules, switches
from pypi.db.database import Database
from pypi.db.migrations import current
from pypi.files import paths
from pypi.files.spool import Spool
from pypi.files.workers import Workers
from pypi.http.caller import Callers, Networks
from pypi.http.csrf import Origins
from pypi.http.hosts import Hosts
from pypi.http.limits import Limits
from pypi.http.security import page_headers
from pypi.http.urls import Urls
from pypi.index.changes import Changes
from pypi.index.database import DatabaseIndex
from pypi.index.documents import Documents
from pypi.index.downloads import Popularity
from pypi.index.feeds import Feeds
from pypi.index.past import Past
from pypi.index.private import Private, Unoffered
from pypi.index.statistics import Statistics
from pypi.index.tail import Tail
from pypi.index.withheld import Withheld
from pypi.jobs.downloads import KeepDownloads
from pypi.jobs.outbox import Outbox
from pypi.jobs.purge import Purges
from pypi.jobs.sweep import Sweep
from pypi.jobs.usage import KeepUsage
from pypi.membership import Membership, membership
from pypi.metrics.readings import Reading, of_uploads
from pypi.old_world import old_world, xml_rpc, xml_rpc_limit
from pypi.providers import provider_name, sign_in_with
from pypi.publishing.deletion import Deletions
from pypi.publishing.descriptions import Renderer
from pypi.publishing.inspection import Inspectors
from pypi.publishing.kept_names import KeptNames
from pypi.publishing.publish import Publisher
from pypi.publishing.quarantine import Quarantines
from pypi.publishing.reads import Reads
from pypi.publishing.renaming import Renaming
from pypi.publishing.roles import Roles
from pypi.publishing.status import Statuses
from pypi.publishing.yank import Yanks
from pypi.readership import readership
from pypi.rooms import Personal
from pypi.search.find import Search
from pypi.watch import Watch, watch
from pypi.web import changes_forms
from pypi.web.api.description import ApiDescription, document
from pypi.web.assets import Assets
from pypi.web.changes import ChangeFeed
from pypi.web.door import Cookies, DoorKeeper
from pypi.web.downloads import Downloads
from pypi.web.feeds import FeedRoom
from pypi.web.health import Health, Probe
from pypi.web.json_api import JsonApi
from pypi.web.pages.connect import Here
from pypi.web.pages.errors import ErrorPages
from pypi.web.personal import PersonalPages
from pypi.web.search_api import SearchApi
from pypi.web.simple import SimpleApi
from pypi.web.static import StaticFiles
from pypi.web.templates import Templates
from pypi.web.token_reports import TokenReports
from pypi.web.upload import FORM_OVERHEAD, Upload

log = Logger()

UPLOADS = [route.path for route in Upload.router.routes if route.method == "POST"]


class Part(Protocol):
    """Something that is started before use and stopped after it."""

    async def start(self) -> None:
        """Be ready when this returns."""

    async def stop(self) -> None:
        """Hold nothing any more when this returns."""


@frozen(kw_only=True, eq=False)
class Application:
    """Everything, connected. Start it, listen with its resources, stop it.

    Attributes:
        worker: its name among all that serve the same index on this machine; ``"0"`` for the only one.
        members: what looks after accounts.
        probes: what stands behind the index → a call that fails when it does not answer.
        parts: what has to be started, in this order, and stopped in the reverse.
        tail: tells whoever follows of changes; it is closed when the process takes its leave.
        caches: what is kept, and the lane that answers out of it.
        watch: what is noted of it all, and shown.
        public: the index.
        operator: health and metrics.
        hosts: the names the index answers to.
        callers: whom to believe about who is asking.
        limits: of every connection.
    """

    worker: str
    accounts: Accounts
    members: Membership
    publisher: Publisher
    yanks: Yanks
    deletions: Deletions
    statuses: Statuses
    quarantines: Quarantines
    kept_names: KeptNames
    past: Past
    roles: Roles
    reads: Reads
    renaming: Renaming
    purges: Purges
    outbox: Outbox
    spool: Spool
    usage: KeepUsage
    downloads: KeepDownloads
    tail: Tail
    probes: Mapping[str, Probe] = field(repr=False)
    parts: tuple[Part, ...] = field(repr=False)
    caches: Caches
    watch: Watch
    public: KleinResource = field(repr=False)
    operator: KleinResource = field(repr=False)
    hosts: Hosts
    callers: Callers
    limits: Limits

    async def start(self) -> None:
        """Start every part; if one fails, those before it are stopped again."""
        for place, part in enumerate(self.parts):
            try:
                await part.start()
            except BaseException:
                await _stop(self.parts[:place])
                raise

    async def stop(self) -> None:
        """Stop every part."""
        await _stop(self.parts)


async def _stop(parts: tuple[Part, ...]) -> None:
    for part in reversed(parts):
        try:
            await part.stop()
        except Exception:
            log.failure("A part did not stop well: {part}", part=part)


def build(
    config: Config,
    reactor: Any,
    *,
    database_url: str,
    redis_url: str,
    origin: str,
    worker: str = "0",
    run: Path | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> Application:
    """Pack everything.

    Args:
        database_url: of the PostgreSQL that is running.
        redis_url: of the Redis that is, or may be, running.
        origin: URL under which clients know this index, without a slash at its end.
        worker: the name of this process among all that serve the same index on this machine.
        run: folder of their private sockets; ``None`` where there are no others.
        now: aware, UTC.
        random_bytes: fit for secrets.
    """
    files_url = config.files.base_url or origin
    database = Database(database_url, reactor, size=config.database.pool)
    redis = Redis(redis_url, reactor)
    here = hosts(config, origin, files_url)
    names = Hosts.of(here.allowed.union(*old_hosts(config).values()), loopback=here.loopback, led_on=True)
    limits = Limits(linger_bytes=config.uploads.max_file_size + 2 * FORM_OVERHEAD)

    def wall() -> float:
        return now().timestamp()

    switched = switches(config)
    watched = watch(config, reactor, wall=wall, worker=worker, run=run)
    withheld, private = Withheld(database, reactor), Private(database, reactor, wall)
    unoffered = Unoffered(withheld, private)
    statistics = Statistics(database, now)

    def withhold() -> None:
        withheld.hint()
        statistics.forget()

    kept = caches(
        config,
        reactor,
        database=database,
        redis=redis,
        hosts=here,
        limits=limits,
        wall=wall,
        shown=(origin, files_url, str(switched), *map(str, (config.pages, config.uploads, config.access))),
        log=watched.lane_log,
        overheard=watched.overheard,
        on_withheld=withhold,
        on_private=private.hint,
    )
    workers = Workers(reactor)
    files, spool = file_store(config, workers, reactor)
    inspectors = Inspectors(reactor=reactor, processes=config.uploads.inspectors)
    renderer = Renderer(reactor=reactor)
    members = membership(
        config,
        reactor,
        database=database,
        redis=redis,
        origin=origin,
        now=now,
        random_bytes=random_bytes,
    )
    accounts, sessions = members.accounts, members.sessions
    index = DatabaseIndex(database)
    search = Search(database=database)
    documents = Documents(database, index.threads)
    popularity = Popularity(database, now, counts=config.downloads.count)
    publisher = Publisher(
        database=database,
        files=files,
        inspectors=inspectors,
        renderer=renderer,
        rules=rules(config),
        now=now,
        reactor=reactor,
        announce=private.after(kept.invalidations.announce),
        catch_up=kept.invalidations.catch_up,
    )
    client = Client(reactor)
    openid = sign_in_with(
        config, Client(reactor), members, database=database, origin=origin, now=now, random_bytes=random_bytes
    )
    done = acts(
        rules(config),
        database=database,
        publisher=publisher,
        sessions=sessions,
        withheld=withheld,
        private=private,
        announce=kept.invalidations.announce,
        now=now,
    )
    by_and_by = chores(
        config,
        reactor,
        database=database,
        origin=origin,
        edge=purger(config, client),
        client=client,
        renderer=renderer,
        sweep=Sweep(database=database, files=files, spool=spool, publisher=publisher, now=now),
        used=watched.usage,
        last_used=members.last_used,
        tidied=[*members.tidied, *([openid.tidy] if openid else [])],
        announce=kept.invalidations.announce,
        now=now,
    )
    known = kept.ladder.known
    changes = Changes(database)
    tail = Tail(
        changes=changes,
        form=changes_forms.STREAM,
        last=lambda: known.last,
        reactor=reactor,
        followers=config.changes.followers,
        waiters=config.changes.waiters,
    )
    kept.invalidations.on_news = tail.news
    is_public = config.access.reads == "public"
    feeds = FeedRoom(feeds=Feeds(database), origin=origin, is_public=is_public)
    simple = SimpleApi(index=index, files_url=files_url)
    urls = Urls(origin, files_url)
    json_api = JsonApi(documents=documents, urls=urls)
    limiter = xml_rpc_limit(config, reactor, redis)
    xmlrpc = xml_rpc(
        database=database,
        index=index,
        search=search,
        popularity=popularity,
        origin=origin,
        files_url=files_url,
        kept=kept,
        limiter=limiter,
        switches=switched,
    )
    upload = Upload(
        programs=members.programs,
        publisher=publisher,
        spool=spool,
        max_file_size=config.uploads.max_file_size,
    )
    downloads = Downloads(
        files=files,
        random_bytes=random_bytes,
        handoff=handoff(config, files),
        count=by_and_by.downloads.downloaded.count if config.downloads.count else None,
        withheld=lambda: unoffered,
        settle=unoffered.settle,
    )
    assets = Assets.installed()
    templates = Templates.installed(
        assets,
        origin=origin,
        name=config.pages.name,
        provider=provider_name(config),
        provider_joins=openid is not None and openid.newcomers.is_open,
        headers=page_headers(config.pages.camo_url or "https:", secure=origin.startswith("https:")),
    )
    called = Here.of(origin, config.pages.name)
    pages = browsing(
        config,
        database=database,
        documents=documents,
        popularity=popularity,
        search=search,
        statistics=statistics,
        templates=templates,
        here=called,
        urls=urls,
        may_register=members.registration.is_open,
        confirming=bool(members.confirming.after),
    )
    cookies = Cookies.of(origin)
    door = DoorKeeper(
        sessions=sessions,
        programs=members.programs,
        throttle=members.throttle,
        second_factors=members.second_factors,
        cookies=cookies,
        now=now,
        random_bytes=random_bytes,
    )
    personal = Personal(
        config=config,
        database=database,
        members=members,
        acts=done,
        pages=PersonalPages(templates, random_bytes),
        cookies=cookies,
        here=called,
        now=now,
    )
    rooms = (
        *pages.rooms,
        SearchApi(search=search, urls=urls),
        ApiDescription(
            document=document(front.routes(), origin=origin, name=config.pages.name, is_public=is_public)
        ),
        *personal.account(urls=urls, openid=openid),
        *personal.manage(),
        *personal.admin(
            watched=watched,
            usage=by_and_by.usage,
            switches=switched,
            statistics=statistics,
            popularity=popularity,
        ),
        simple,
        json_api,
        ChangeFeed(changes=changes, tail=tail, origin=origin),
        feeds,
        xmlrpc,
        TokenReports(tokens=members.tokens),
        upload,
        downloads,
        StaticFiles(assets=assets),
    )
    readers = readership(
        config,
        reactor,
        database=database,
        members=members,
        private=private,
        withheld=withheld,
        cookies=cookies,
        simple=simple,
        json_api=json_api,
        project_pages=pages.project,
        feeds=feeds,
        downloads=downloads,
    )
    old = old_world(
        config,
        hosts=here,
        database=database,
        files=files,
        origin=origin,
        files_url=files_url,
        upload=upload,
        xmlrpc=xmlrpc,
        pages=front.pages(*rooms),
        kept=kept,
        switches=switched,
        reading=readers.door,
        now=now,
    )
    probes: dict[str, Probe] = {
        "database": lambda: database.read(current),
        "redis": redis.ping,
        "files": lambda: files.size(paths.store_path("0" * 64, "probe")),
    }
    outside: dict[str, Probe] = {"openid": openid.provider.probe} if openid else {}
    health = Health(probes=probes, dispensable=frozenset({"redis"}), serial=lambda: known.last)
    watched.metrics.add(
        database,
        redis,
        tail,
        limiter,
        *kept.readings,
        *by_and_by.readings,
        Reading(lambda: of_uploads(watched.observer.routes, UPLOADS)),
    )
    return Application(
        worker=worker,
        accounts=accounts,
        members=members,
        publisher=publisher,
        yanks=done.yanks,
        deletions=done.deletions,
        statuses=done.statuses,
        quarantines=done.quarantines,
        kept_names=done.kept_names,
        past=Past(database),
        roles=done.roles,
        reads=done.reads,
        renaming=done.renaming,
        purges=by_and_by.purges,
        outbox=by_and_by.outbox,
        spool=spool,
        usage=by_and_by.usage,
        downloads=by_and_by.downloads,
        tail=tail,
        probes=probes | by_and_by.probes | outside,
        parts=(
            *watched.parts,
            workers,
            files,
            members.passwords,
            inspectors,
            renderer,
            redis,
            database,
            withheld,
            index,
            *kept.parts,
            private,
            tail,
            *by_and_by.parts,
        ),
        caches=kept,
        watch=watched,
        public=front.public(
            *rooms,
            old=old,
            keeper=kept.keeper,
            switches=switched,
            error_page=ErrorPages(templates),
            origins=Origins.of(origin),
            door=door,
            reading=readers.door,
            for_readers=readers.rooms,
        ),
        operator=front.operators(health, watched.scrapes),
        hosts=names,
        callers=Callers(Networks.of(config.service.trusted_proxies)),
        limits=limits,
    )
