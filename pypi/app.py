"""The composition root: what Cheeseshop is made of, in the order it is packed."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from attrs import field, frozen
from klein.resource import KleinResource
from trove_classifiers import classifiers, deprecated_classifiers, sorted_classifiers
from twisted.logger import Logger

from caching.client import Client
from caching.fastly import Fastly
from caching.limiter import Limiter
from caching.purge import Purger
from caching.rate import Rate
from caching.redis import Redis
from caching.varnish import Varnish
from legacy_compat.docs_hosting import Moved
from legacy_compat.forms import Forms
from legacy_compat.found import Found
from legacy_compat.hosts import OldHosts
from legacy_compat.redirects import OldWorld
from legacy_compat.xmlrpc.answers import Answers
from legacy_compat.xmlrpc.resource import XmlRpc
from pypi import front
from pypi.accounts.accounts import Accounts
from pypi.accounts.administration import Administration
from pypi.accounts.openid import OpenId
from pypi.accounts.openid_links import Links
from pypi.accounts.openid_newcomers import Newcomers
from pypi.accounts.openid_provider import Provider, shown_name
from pypi.caches import Caches, caches
from pypi.config import Config
from pypi.config.values import is_loopback
from pypi.db.database import Database
from pypi.db.migrations import current
from pypi.db.queries import storage
from pypi.domain.names import normalize
from pypi.domain.permissions import Access
from pypi.domain.switches import Switches
from pypi.files import paths
from pypi.files.disk import Disk
from pypi.files.local import LocalFiles
from pypi.files.spool import Spool
from pypi.files.store import FileStore
from pypi.files.workers import Workers
from pypi.http.caller import Callers, Networks
from pypi.http.camo import Camo
from pypi.http.csrf import Origins
from pypi.http.downloaded import Downloaded
from pypi.http.hosts import Hosts
from pypi.http.limits import Limits
from pypi.http.security import page_headers
from pypi.http.urls import Urls
from pypi.index.changes import Changes
from pypi.index.classifiers import ClassifierTree
from pypi.index.database import DatabaseIndex
from pypi.index.dependencies import Dependencies
from pypi.index.documents import Documents
from pypi.index.downloads import Popularity
from pypi.index.feeds import Feeds
from pypi.index.history import History
from pypi.index.lookups import Lookups
from pypi.index.managed import Managing
from pypi.index.overseen import Overseen
from pypi.index.past import Past
from pypi.index.people import People
from pypi.index.private import Private, Unoffered
from pypi.index.releases import Releases
from pypi.index.statistics import Statistics
from pypi.index.tail import Tail
from pypi.index.withheld import Withheld
from pypi.jobs.audit import Audit
from pypi.jobs.downloads import KeepDownloads, TendDownloads
from pypi.jobs.mail import figures as of_mail
from pypi.jobs.mail import send_mail
from pypi.jobs.outbox import Outbox
from pypi.jobs.popular import MarkPopular
from pypi.jobs.purge import Purge, Purges
from pypi.jobs.rerender import Rerender
from pypi.jobs.schedule import Job, Schedule
from pypi.jobs.sweep import Sweep
from pypi.jobs.tidy import Tidy
from pypi.jobs.tokens import KeepTokenUse
from pypi.jobs.turn import InTurn
from pypi.jobs.usage import ForgetUsage, KeepUsage
from pypi.membership import Membership, membership
from pypi.metrics.readings import (
    Reading,
    of_invalidations,
    of_ladder,
    of_memory,
    of_outbox,
    of_shared,
    of_uploads,
)
from pypi.publishing.deletion import Deletions
from pypi.publishing.descriptions import Renderer
from pypi.publishing.inspection import Inspectors
from pypi.publishing.kept_names import KeptNames
from pypi.publishing.leaving import Leaving
from pypi.publishing.publish import Publisher
from pypi.publishing.quarantine import Quarantines
from pypi.publishing.reads import Reads
from pypi.publishing.renaming import Renaming
from pypi.publishing.roles import Roles
from pypi.publishing.rules import Classifiers, Rules
from pypi.publishing.status import Statuses
from pypi.publishing.yank import Yanks
from pypi.readership import readership
from pypi.search.find import Search
from pypi.watch import Watch, watch
from pypi.web import changes_forms
from pypi.web.account.codes import CodePages
from pypi.web.account.delete import DeleteAccount
from pypi.web.account.emails import EmailPages
from pypi.web.account.factor_desk import FactorDesk
from pypi.web.account.factors import FactorPages
from pypi.web.account.home import AccountHome
from pypi.web.account.log import AccountLog
from pypi.web.account.openid import CALLBACK, OpenIdRoom
from pypi.web.account.passkeys import PasskeyPages
from pypi.web.account.password import PasswordPage
from pypi.web.account.register import Register
from pypi.web.account.reset import Reset
from pypi.web.account.second_factor import SecondFactorPage
from pypi.web.account.sessions import SessionPages
from pypi.web.account.sign_in import SignIn
from pypi.web.account.tokens import TokenPages
from pypi.web.account.verify import Verify
from pypi.web.admin.legacy import LegacyUsage
from pypi.web.admin.log import SecurityLog
from pypi.web.admin.overview import Operate
from pypi.web.admin.projects import OperateProjects
from pypi.web.admin.users import OperateAccounts
from pypi.web.api.description import ApiDescription, document
from pypi.web.api.projects import ProjectActs
from pypi.web.api.releases import ReleaseActs
from pypi.web.api.roles import RoleActs
from pypi.web.api.shown import ManagedProjects
from pypi.web.assets import Assets
from pypi.web.changes import ChangeFeed
from pypi.web.door import Cookies, DoorKeeper
from pypi.web.downloads import Downloads
from pypi.web.downloads_handoff import Handoff, ToBucket, ToFront
from pypi.web.feeds import FeedRoom
from pypi.web.health import Health, Probe
from pypi.web.json_api import JsonApi
from pypi.web.manage.desk import Desk
from pypi.web.manage.history import ManagedHistory
from pypi.web.manage.mine import YourProjects
from pypi.web.manage.people import ManagedPeople
from pypi.web.manage.publishing import ManagedPublishing
from pypi.web.manage.release import ManagedRelease
from pypi.web.manage.releases import ManagedReleases
from pypi.web.manage.settings import ManagedSettings
from pypi.web.pages.classifiers import ClassifierPage
from pypi.web.pages.connect import Here
from pypi.web.pages.errors import ErrorPages
from pypi.web.pages.guides import Contact, Guides
from pypi.web.pages.home import Pages
from pypi.web.pages.project.room import ProjectPages
from pypi.web.pages.search import SearchPage
from pypi.web.pages.statistics import StatisticsPage
from pypi.web.pages.users import UserPages
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
        shown=(origin, files_url, str(switched), str(config.pages), str(config.uploads)),
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
    edge = purger(config, client)
    purges = Purges(database=database, now=now, edge=edge is not None)
    sweep = Sweep(database=database, files=files, spool=spool, publisher=publisher, now=now)
    mail = send_mail(config, reactor, origin=origin, now=now)
    outbox = Outbox(
        database=database,
        reactor=reactor,
        now=now,
        handlers=Purge(purger=edge).handlers() if edge else {},
        elsewhere=tuple(mail.handlers()) if mail else (),
    )
    letters = mail.outbox(database, reactor, elsewhere=tuple(outbox.handlers)) if mail else None
    usage = KeepUsage(watched.usage, database, reactor)
    keep_downloads = KeepDownloads(Downloaded(now), database, reactor)
    tend_downloads = TendDownloads(database=database, now=now)
    rerender = Rerender(
        database=database,
        renderer=renderer,
        reactor=reactor,
        now=now,
        announce=kept.invalidations.announce,
    )
    openid = sign_in_with(
        config, Client(reactor), members, database=database, origin=origin, now=now, random_bytes=random_bytes
    )
    tidied = [*members.tidied, *([openid.tidy] if openid else [])]
    jobs: list[Job] = [
        outbox,
        InTurn(job=sweep, name="sweep", database=database, now=now),
        usage,
        InTurn(job=ForgetUsage(database=database, now=now), name="usage", database=database, now=now),
        keep_downloads,
        KeepTokenUse(members.last_used),
        InTurn(job=tend_downloads, name="downloads", database=database, now=now),
        InTurn(job=Tidy(kinds=tidied), name="tidy", database=database, now=now),
        InTurn(job=MarkPopular(database), name="popular", database=database, now=now),
        InTurn(job=rerender, name="rerender", database=database, now=now),
    ]
    if edge and shown_at(config):
        audit = Audit(database=database, purges=purges, client=client, url=shown_at(config), now=now)
        jobs.append(InTurn(job=audit, name="audit", database=database, now=now))
    if letters:
        jobs.append(letters)
    yanks = Yanks(database=database, now=now, announce=kept.invalidations.announce)
    statuses = Statuses(database=database, now=now, announce=kept.invalidations.announce)
    quarantines = Quarantines(
        database=database, now=now, announce=kept.invalidations.announce, withhold=withheld.look
    )
    kept_names = KeptNames(database=database, now=now)
    roles = Roles(database=database, now=now, announce=kept.invalidations.announce)
    reads = Reads(database=database, now=now, announce=private.after(kept.invalidations.announce))
    renaming = Renaming(database=database, rules=rules(config), now=now, announce=kept.invalidations.announce)
    deletions = Deletions(
        database=database, now=now, announce=kept.invalidations.announce, forget=publisher.forget
    )
    leaving = Leaving(database=database, sessions=sessions, now=now, announce=kept.invalidations.announce)
    schedule = Schedule(reactor, jobs=jobs)
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
    change_feed = ChangeFeed(changes=changes, tail=tail, origin=origin)
    is_public = config.access.reads == "public"
    feeds = FeedRoom(feeds=Feeds(database), origin=origin, is_public=is_public)
    simple = SimpleApi(index=index, files_url=files_url)
    urls = Urls(origin, files_url)
    json_api = JsonApi(documents=documents, urls=urls)
    limiter = Limiter(
        name="xmlrpc.client",
        rate=Rate.scaled(config.limits.xmlrpc, config.limits.factor),
        redis=redis,
        seconds=reactor.seconds,
    )
    xmlrpc = XmlRpc(
        answers=Answers(
            history=History(database, index.threads),
            releases=Releases(database, index.threads),
            names=index.names,
            popularity=popularity,
            finder=search,
            origin=origin,
            files_url=files_url,
        ),
        ladder=kept.ladder,
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
        count=keep_downloads.downloaded.count if config.downloads.count else None,
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
    statistics = Statistics(database, now)
    pages = Pages(statistics=statistics, templates=templates, here=called, tagline=config.pages.tagline)
    guides = Guides(
        templates=templates,
        here=called,
        contact=Contact.of(config.pages.contact),
        rules=rules(config),
        is_private=not is_public,
        registration=members.registration.is_open,
    )
    project_pages = ProjectPages(
        documents=documents,
        dependencies=Dependencies(database),
        here=called,
        popularity=popularity,
        search=search,
        templates=templates,
        urls=urls,
        camo=Camo(url=config.pages.camo_url, key=config.pages.camo_key),
    )
    search_page = SearchPage(search=search, templates=templates)
    search_api = SearchApi(search=search, urls=urls)
    classifier_tree = ClassifierTree(database, sorted_classifiers, deprecated_classifiers)
    classifier_page = ClassifierPage(classifiers=classifier_tree, templates=templates)
    user_pages = UserPages(people=People(database), templates=templates)
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
    administration = Administration(database=database, sessions=sessions, now=now)
    personal_pages = PersonalPages(templates, random_bytes)
    factor_desk = FactorDesk(
        second_factors=members.second_factors,
        recovery_codes=members.recovery_codes,
        sessions=sessions,
        again=members.again,
        pages=personal_pages,
        cookies=cookies,
    )
    desk = Desk(pages=personal_pages, counts=config.downloads.count)
    managing = Managing(database=database, now=now)
    sign_in = SignIn(
        entrance=members.entrance,
        step=members.second_step,
        pages=personal_pages,
        cookies=cookies,
        registration=members.registration.is_open,
    )
    rooms = (
        pages,
        guides,
        StatisticsPage(statistics=statistics, popularity=popularity, templates=templates),
        project_pages,
        search_page,
        search_api,
        ReleaseActs(yanks=yanks, deletions=deletions),
        ProjectActs(statuses=statuses, renaming=renaming, reads=reads, deletions=deletions),
        RoleActs(roles=roles),
        ManagedProjects(managing=managing, past=Past(database)),
        ApiDescription(
            document=document(front.routes(), origin=origin, name=config.pages.name, is_public=is_public)
        ),
        classifier_page,
        user_pages,
        Operate(
            pages=personal_pages,
            administration=administration,
            statistics=statistics,
            popularity=popularity,
            figures=watched.scrapes.text,
            database_size=lambda: database.read(storage.size),
            free=Disk(config.service.data).free,
            now=now,
        ),
        OperateAccounts(
            pages=personal_pages,
            administration=administration,
            audit=members.audit,
            second_factors=members.second_factors,
            sessions=sessions,
        ),
        OperateProjects(
            pages=personal_pages,
            overseen=Overseen(database),
            past=Past(database),
            quarantines=quarantines,
            kept_names=kept_names,
        ),
        LegacyUsage(pages=personal_pages, used=usage.since, switches=switched, now=now),
        SecurityLog(pages=personal_pages, audit=members.audit),
        AccountHome(sessions=sessions, pages=personal_pages, urls=urls, is_private=not is_public),
        SessionPages(sessions=sessions, pages=personal_pages),
        AccountLog(audit=members.audit, pages=personal_pages),
        DeleteAccount(leaving=leaving, again=members.again, pages=personal_pages, cookies=cookies),
        OpenIdRoom(openid=openid, again=members.again, pages=personal_pages, cookies=cookies),
        EmailPages(
            emails=members.emails,
            again=members.again,
            pages=personal_pages,
            sends_mail=members.sends_mail,
            mail_is_kept=members.mail_is_kept,
        ),
        FactorPages(desk=factor_desk, totp=members.totp, passkeys=members.passkeys),
        PasskeyPages(desk=factor_desk, passkeys=members.passkeys),
        CodePages(desk=factor_desk),
        PasswordPage(renewal=members.renewal, pages=personal_pages, cookies=cookies),
        TokenPages(tokens=members.tokens, again=members.again, pages=personal_pages, index=called),
        sign_in,
        SecondFactorPage(step=members.second_step, pages=personal_pages, cookies=cookies),
        Register(
            registration=members.registration,
            entrance=members.entrance,
            pages=personal_pages,
            cookies=cookies,
            mail_is_kept=members.mail_is_kept,
            now=now,
        ),
        Reset(
            renewal=members.renewal,
            pages=personal_pages,
            sends_mail=members.sends_mail,
            mail_is_kept=members.mail_is_kept,
        ),
        Verify(emails=members.emails, pages=personal_pages),
        YourProjects(managing=managing, roles=roles, pages=personal_pages),
        ManagedReleases(managing=managing, yanks=yanks, desk=desk),
        ManagedRelease(managing=managing, yanks=yanks, deletions=deletions, desk=desk),
        ManagedPeople(managing=managing, roles=roles, desk=desk),
        ManagedSettings(
            managing=managing,
            statuses=statuses,
            reads=reads,
            renaming=renaming,
            deletions=deletions,
            desk=desk,
        ),
        ManagedHistory(managing=managing, past=Past(database), desk=desk),
        ManagedPublishing(managing=managing, index=called, desk=desk),
        simple,
        json_api,
        change_feed,
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
        project_pages=project_pages,
        feeds=feeds,
        downloads=downloads,
    )
    old = OldWorld(
        hosts=OldHosts.of(here, **old_hosts(config)),
        moved=Moved.of(config.legacy.docs_redirects),
        found=Found(
            lookups=Lookups(database),
            origin=origin,
            files_url=files_url,
            signed=lambda path: has(files, path),
            classifiers=sorted_classifiers,
            now=now,
        ),
        forms=Forms(
            accepts=config.legacy.uploads == "accept",
            uploads=upload,
            upload_url=f"{origin}/legacy/",
            origins=Origins.of(origin),
            call=readers.door.guarded(xmlrpc.answer),
            switches=switched,
        ),
        pages=front.pages(*rooms),
        secure_only=config.service.require_https,
        switches=switched,
        keeper=kept.keeper,
        reading=readers.door,
    )
    probes: dict[str, Probe] = {
        "database": lambda: database.read(current),
        "redis": redis.ping,
        "files": lambda: files.size(paths.store_path("0" * 64, "probe")),
    }
    outside: dict[str, Probe] = {"mail": mail.mailer.probe} if mail else {}
    if openid:
        outside["openid"] = openid.provider.probe
    health = Health(probes=probes, dispensable=frozenset({"redis"}), serial=lambda: known.last)
    watched.metrics.add(
        database,
        redis,
        tail,
        limiter,
        keep_downloads.downloaded,
        rerender,
        Reading(lambda: of_memory(kept.ladder.memory)),
        Reading(lambda: of_ladder(kept.ladder)),
        Reading(lambda: of_shared(kept.shared)),
        Reading(lambda: of_invalidations(kept.invalidations)),
        Reading(lambda: of_outbox(outbox.stats())),
        Reading(lambda: of_uploads(watched.observer.routes, UPLOADS)),
    )
    if mail and letters:
        watched.metrics.add(Reading(lambda: of_mail(mail, letters)))
    return Application(
        worker=worker,
        accounts=accounts,
        members=members,
        publisher=publisher,
        yanks=yanks,
        deletions=deletions,
        statuses=statuses,
        quarantines=quarantines,
        kept_names=kept_names,
        past=Past(database),
        roles=roles,
        reads=reads,
        renaming=renaming,
        purges=purges,
        outbox=outbox,
        spool=spool,
        usage=usage,
        downloads=keep_downloads,
        tail=tail,
        probes={**probes, **outside},
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
            usage,
            keep_downloads,
            schedule,
            outbox,
            *((letters,) if letters else ()),
            rerender,
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


def file_store(config: Config, workers: Workers, reactor: Any) -> tuple[FileStore, Spool]:
    """Where distributions are kept, a folder or a bucket by ``files.url``, and where they arrive."""
    folder = config.service.data / "files"
    url = urlsplit(config.files.url)
    if url.scheme == "s3":
        # Imported here: the S3 client is as large as everything else together.
        from pypi.files.s3 import S3Files
        from pypi.files.s3_client import S3Settings

        settings = S3Settings.from_url(
            config.files.url, endpoint_url=config.files.s3_endpoint, region=config.files.s3_region
        )
        bucket = S3Files(settings, reactor)
        return bucket, Spool(folder / ".tmp", workers)
    local = LocalFiles(Path(unquote(url.path)) if url.path else folder, workers)
    return local, Spool(local.temporary, workers)


def sign_in_with(
    config: Config,
    client: Client,
    members: Membership,
    *,
    database: Database,
    origin: str,
    now: Callable[[], datetime],
    random_bytes: Callable[[int], bytes],
) -> OpenId | None:
    """The provider where people may sign in, by the ``[openid]`` section; ``None`` where there is none."""
    section = config.openid
    if not section.issuer:
        return None
    name = provider_name(config)
    provider = Provider(
        issuer=section.issuer,
        client_id=section.client_id,
        client_secret=section.client_secret,
        name=name,
        scopes=section.scopes,
        redirect_uri=f"{origin}{CALLBACK}",
        client=client,
        now=now,
    )
    registration = config.access.registration if section.registration == "access" else section.registration
    return OpenId(
        provider=provider,
        links=Links(database=database, issuer=section.issuer, provider=name, now=now),
        newcomers=Newcomers(
            database=database,
            throttle=members.throttle,
            provider=name,
            now=now,
            random_bytes=random_bytes,
            is_open=registration == "on",
            domains=frozenset(section.allowed_domains),
        ),
        database=database,
        entrance=members.entrance,
        throttle=members.throttle,
        now=now,
        random_bytes=random_bytes,
        trusts_mfa=section.trust_mfa,
    )


def provider_name(config: Config) -> str:
    """What people call the provider; empty where there is none."""
    return shown_name(config.openid.name, config.openid.issuer) if config.openid.issuer else ""


def purger(config: Config, client: Client) -> Purger | None:
    """What tells the edge of changes, by ``edge.purger``; ``None`` where there is none."""
    edge = config.edge
    if edge.purger == "fastly":
        return Fastly(service=edge.service, token=edge.token, client=client, api=edge.api)
    if edge.purger == "varnish":
        return Varnish(urls=edge.varnishes, secret=edge.token, client=client)
    return None


def shown_at(config: Config) -> str:
    """Where everybody may look what the edge shows; empty where nobody may, or it is not known."""
    return (config.edge.url or config.service.origin) if config.access.reads == "public" else ""


def handoff(config: Config, files: Any) -> Handoff | None:
    """Who sends the bytes of files in our place, by ``files.handoff``."""
    section = config.files
    match section.handoff:
        case "x-accel":
            return ToFront(header="X-Accel-Redirect", prefix=section.handoff_prefix)
        case "x-sendfile":
            return ToFront(header="X-Sendfile")
        case "redirect":
            shared = config.access.reads == "public"
            return ToBucket(presigned=files.presigned, seconds=section.handoff_seconds, shared=shared)
    return None


def rules(config: Config) -> Rules:
    """What publishers may send, by the ``[uploads]`` section."""
    return Rules(
        max_file_size=config.uploads.max_file_size,
        max_project_size=config.uploads.max_project_size,
        zip_sdists=config.uploads.zip_sdists,
        release_days=config.uploads.release_days,
        reserved=frozenset(map(normalize, config.uploads.reserved_names)),
        classifiers=Classifiers(frozenset(classifiers)),
        deprecated=deprecated_classifiers,
        access=Access(config.access.new_projects),
    )


def switches(config: Config) -> Switches:
    """Which features are off, and which are announced to go, by the ``[legacy]`` section."""
    legacy = config.legacy
    return Switches(off=frozenset(legacy.off), announced=legacy.announced, link=legacy.announced_at)


def hosts(config: Config, *urls: str) -> Hosts:
    """The names of the index today: those of its URLs, the configured ones, and loopback if it is there."""
    names = {urlsplit(url).netloc for url in urls}
    return Hosts.of({*names, *config.service.hosts}, loopback=is_loopback(config.service.interface))


def old_hosts(config: Config) -> dict[str, tuple[str, ...]]:
    """The names it had, by what was there."""
    legacy = config.legacy
    return {"index": legacy.index_hosts, "files": legacy.files_hosts, "docs": legacy.docs_hosts}


async def has(files: FileStore, path: str) -> bool:
    """Whether there is a file at a store path."""
    try:
        return await files.size(path) is not None
    except ValueError:
        return False
