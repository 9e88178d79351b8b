"""The sections of the configuration and their keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
from attrs import field, frozen

from pypi.config import features, mail, openid, values
from pypi.config.values import Read, T
from pypi.domain.switches import Announcement

PREFIX = "CHEESESHOP_"
FASTLY_API = "https://api.fastly.com"


def _key(read: Read[T], default: Any, about: str, *, secret: bool = False) -> T:
    """One key: how it is read, its default (as if written in the file), and its sentence of documentation."""
    made: T = field(factory=lambda: read(default), metadata={"read": read, "about": about, "secret": secret})
    return made


def _section(cls: type[T]) -> T:
    made: T = field(factory=cls, metadata={"section": cls})
    return made


@frozen(kw_only=True)
class Service:
    """Where the service listens, what it is called, and where its data lie."""

    port: int = _key(values.number(0, 65535), 8080, "TCP port of the index; 0 takes a free one")
    interface: str = _key(values.text, "127.0.0.1", "address to listen on; loopback unless said otherwise")
    workers: int = _key(values.number(0, 256), 1, "worker processes; 0 = one per core")
    connections: int = _key(
        values.number(0, 1_000_000),
        0,
        "connections of clients each worker holds at most; 0 = what its file descriptors allow, up to 16384",
    )
    drain: int = _key(values.number(0, 3600), 30, "seconds what is under way may take when a process stops")
    origin: str = _key(
        values.url("http", "https", bare=True, path=False),
        "",
        "canonical external URL; empty: that of the listener",
    )
    hosts: tuple[str, ...] = _key(
        values.texts, "", "further Host names to answer, besides those of the URLs here"
    )
    require_https: bool = _key(
        values.switch,
        "off",
        "whether plain HTTP is refused (API) or led to HTTPS (pages); needs an https origin",
    )
    trusted_proxies: tuple[str, ...] = _key(
        values.networks, "", "networks whose X-Forwarded-For and X-Forwarded-Proto are believed"
    )
    data: Path = _key(values.folder, ".data", "folder of the embedded servers and of files kept locally")


@frozen(kw_only=True)
class Operator:
    """The operator's own listener: health and metrics."""

    port: int = _key(values.number(0, 65535), 8081, "TCP port of /health/live, /health/ready and /metrics")
    interface: str = _key(values.text, "127.0.0.1", "address of the operator's listener; keep it private")


@frozen(kw_only=True)
class Database:
    """PostgreSQL."""

    url: str = _key(
        values.url("postgresql", "postgres"),
        "",
        "postgresql://user:password@host/name; empty: the embedded server",
        secret=True,
    )
    pool: int = _key(values.number(1, 200), 8, "connections each worker keeps at most")


@frozen(kw_only=True)
class Redis:
    """Redis: a shared cache; nothing is lost with it."""

    url: str = _key(
        values.url("redis", "unix"), "", "redis://host:6379/0; empty: the embedded server", secret=True
    )
    memory: int = _key(
        values.size(1 << 20, 1 << 40), "128MB", "bytes the embedded Redis may hold before it forgets"
    )


@frozen(kw_only=True)
class Files:
    """Where distributions are kept and under which URL they are handed out."""

    url: str = _key(
        values.url("file", "s3"), "", "file:///folder or s3://bucket/prefix; empty: in service.data"
    )
    base_url: str = _key(
        values.url("http", "https", bare=True), "", "URL before /packages/…; empty: service.origin"
    )
    s3_endpoint: str = _key(
        values.url("http", "https", bare=True), "", "S3 API to use in place of the default"
    )
    s3_region: str = _key(values.text, "", "region of the bucket; empty: as boto3 finds it")
    handoff: str = _key(
        values.choice("off", "x-accel", "x-sendfile", "redirect"),
        "off",
        "who sends the bytes of files: off: the index; x-accel, x-sendfile: the server in front, one of "
        "service.trusted_proxies; redirect: the bucket, by presigned URLs",
    )
    handoff_prefix: str = _key(
        values.text, "/_files/", "x-accel: internal location of nginx that is the folder of the files"
    )
    handoff_seconds: int = _key(
        values.number(10, 7 * 24 * 3600), 600, "redirect: seconds a presigned URL is good"
    )


@frozen(kw_only=True)
class Pages:
    """What people with a browser are told of whose index this is."""

    name: str = _key(values.line(60, 1), "Cheeseshop", "what the index is called, on every page")
    tagline: str = _key(values.line(120), "Python packages, kept here", "what it is, in a few words")
    contact: str = _key(
        values.line(200),
        "",
        "whom to ask and to tell: an e-mail address, a URL, or a few words; empty: nobody",
    )
    camo_url: str = _key(
        values.url("http", "https", bare=True),
        "",
        "proxy of the Camo kind that fetches the pictures of descriptions; empty: browsers fetch them",
    )
    camo_key: str = _key(values.word, "", "key that signs the URLs of pictures for the proxy", secret=True)


@frozen(kw_only=True)
class Access:
    """Who may read and who may join."""

    reads: str = _key(
        values.choice("public", "private"), "public", "private: nothing is read without signing in"
    )
    new_projects: str = _key(
        values.choice("public", "accounts", "roles"),
        "public",
        "who reads a project that is begun: all who read the index, every account, those with a role in it",
    )
    registration: str = _key(
        values.choice("off", "on"), "off", "whether anybody may make an account on the web"
    )
    confirm_new_browsers: str = _key(
        values.choice("off", "codes", "all"),
        "codes",
        "who signs in with a browser not seen before confirms it by a link in mail: codes: after a password "
        "and a code; all: after a password alone, too; off: nobody",
    )
    breached_passwords_url: str = _key(
        values.url("https", "http", bare=True),
        "",
        "range service of passwords that leaked: told 5 digits of a SHA-1, after a slash; empty: none",
    )


@frozen(kw_only=True)
class OpenId:
    """A provider of OpenID Connect, which leads people back to /account/openid/callback on service.origin."""

    issuer: str = _key(
        openid.issuer,
        "",
        "https URL of the provider, exactly as it calls itself (http on this machine only); empty: none",
    )
    client_id: str = _key(values.line(255), "", "what the provider calls this index")
    client_secret: str = _key(values.line(1000), "", "how it knows this index", secret=True)
    name: str = _key(
        values.line(40), "", "what people call the provider: Sign in with …; empty: the host of its URL"
    )
    scopes: tuple[str, ...] = _key(
        openid.scopes, "openid profile email", "what the provider is asked to tell of people"
    )
    registration: str = _key(
        values.choice("access", "off", "on"),
        "access",
        "whether somebody it knows gets an account at the first sign-in; access: as access.registration says",
    )
    allowed_domains: tuple[str, ...] = _key(
        openid.domains,
        "",
        "domains: such an account is made with an e-mail address there, which the provider has verified; "
        "empty: any",
    )
    trust_mfa: bool = _key(
        values.switch,
        "off",
        "whether a second factor that the provider says was shown there (amr: mfa) stands in for our own",
    )


@frozen(kw_only=True)
class Downloads:
    """What is known of downloads."""

    count: bool = _key(
        values.switch,
        "on",
        "whether files that were sent to their end are counted, by file and by day; never by whom",
    )


@frozen(kw_only=True)
class Uploads:
    """What publishers may send."""

    max_file_size: int = _key(values.size(1 << 10, 1 << 40), "100MB", "largest distribution")
    max_project_size: int = _key(values.size(1 << 10, 1 << 50), "10GB", "all files of one project together")
    zip_sdists: bool = _key(
        values.switch, "off", "whether .zip source distributions are taken besides .tar.gz"
    )
    release_days: int = _key(
        values.number(0, 36500), 14, "days after which a release takes no further files; 0 = for ever open"
    )
    reserved_names: tuple[str, ...] = _key(values.texts, "", "project names nobody may register")
    inspectors: int = _key(values.number(1, 64), 2, "processes that look into uploaded archives")


@frozen(kw_only=True)
class Legacy:
    """The old world: URLs, hosts and uploads of the years before."""

    uploads: str = _key(values.choice("accept", "gone"), "accept", "POST uploads on /pypi: taken, or 410")
    index_hosts: tuple[str, ...] = _key(values.texts, "", "old host names of the index")
    files_hosts: tuple[str, ...] = _key(values.texts, "", "old host names of the files")
    docs_hosts: tuple[str, ...] = _key(values.texts, "", "old host names of hosted documentation")
    docs_redirects: Mapping[str, str] = _key(
        values.moves,
        {},
        "project → URL its hosted documentation moved to; with a slash at its end that is the address of it "
        "all, otherwise what was asked for is put behind it",
    )
    off: tuple[str, ...] = _key(
        features.features, "", "features that are switched off, such as xmlrpc.search or legacy.*"
    )
    announced: Mapping[str, Announcement] = _key(
        features.announcements,
        {},
        "feature → {deprecated = day, sunset = day}: headers say when it goes (environment: "
        "name=deprecated/sunset, …)",
    )
    announced_at: str = _key(
        values.url("http", "https"), "", "URL of a page that says more of what is announced; empty: none"
    )


@frozen(kw_only=True)
class Upstream:
    """The index whose projects are merged in."""

    url: str = _key(
        values.url("http", "https", words=("pip", "off")),
        "pip",
        "pip: the index this machine's pip uses; off: none",
    )


@frozen(kw_only=True)
class Cache:
    """The caches in front of everything."""

    memory: int = _key(values.size(0, 1 << 40), "256MB", "bytes of ready answers each worker keeps")
    lane: bool = _key(values.switch, "on", "whether the fast lane answers hot pages")


@frozen(kw_only=True)
class Changes:
    """The change feed: how many clients a worker lets wait for what comes next."""

    followers: int = _key(
        values.number(0, 100_000), 2000, "streams of changes each worker keeps open at most"
    )
    waiters: int = _key(values.number(0, 100_000), 2000, "questions with wait= each worker keeps at most")


@frozen(kw_only=True)
class Edge:
    """The CDN or the Varnish that stands before the index, and is told what has changed."""

    purger: str = _key(
        values.choice("off", "fastly", "varnish"), "off", "what stands before the index; off: nothing"
    )
    varnishes: tuple[str, ...] = _key(
        values.urls("http", "https"), "", "URLs of all Varnish instances, as the workers reach them"
    )
    service: str = _key(values.word, "", "identifier of the service at Fastly")
    token: str = _key(
        values.word, "", "Fastly: an API token that may purge; Varnish: the purgers' secret", secret=True
    )
    api: str = _key(values.url("http", "https", bare=True), FASTLY_API, "URL of Fastly's API")
    url: str = _key(
        values.url("http", "https", bare=True),
        "",
        "where clients find the edge, to look whether it is fresh; empty: service.origin",
    )


@frozen(kw_only=True)
class Log:
    """The access log: a line for every request to the index."""

    access: str = _key(
        values.destination, "", "file of the access log; empty: log/access.log in service.data; - or off"
    )
    format: str = _key(
        values.choice("combined", "json"), "combined", "combined, or one JSON object on each line"
    )
    rotate_size: int = _key(
        values.size(0, 1 << 40), "100MB", "bytes from which the file is moved aside; 0 = others rotate it"
    )
    rotate_keep: int = _key(values.number(0, 1000), 5, "older files that are kept")


@frozen(kw_only=True)
class Shadow:
    """Live traffic shown to a second server, to see whether it answers the same."""

    percent: float = _key(
        values.decimal(0, 100), 0.0, "share of the safe requests that shadow.origin is asked, too; 0 = none"
    )
    origin: str = _key(
        values.url("http", "https", bare=True, path=False),
        "",
        "URL of the second server; its answers are compared and thrown away",
    )


@frozen(kw_only=True)
class Mail:
    """Outgoing mail."""

    url: str = _key(
        mail.mail_url,
        "",
        "smtp://user:password@host:587, smtps://…, file:///folder, or off; empty: a folder in service.data",
        secret=True,
    )
    sender: str = _key(
        values.mailbox, "", "who mail is from; empty: cheeseshop at the host of service.origin"
    )


@frozen(kw_only=True)
class RateLimits:
    """How often anybody may ask; ``caching.rate.Rate.scaled`` makes rates of them."""

    factor: float = _key(values.decimal(0, 1000), 1.0, "scales every rate limit; 0 = none, for tests")
    xmlrpc: str = _key(
        values.rate, "3600/hour", "calls of XML-RPC each client may make; as many may come at once"
    )


@frozen(kw_only=True)
class Config:
    """The whole configuration. Build it with ``load``; it never changes afterwards."""

    service: Service = _section(Service)
    operator: Operator = _section(Operator)
    database: Database = _section(Database)
    redis: Redis = _section(Redis)
    files: Files = _section(Files)
    pages: Pages = _section(Pages)
    access: Access = _section(Access)
    openid: OpenId = _section(OpenId)
    downloads: Downloads = _section(Downloads)
    uploads: Uploads = _section(Uploads)
    legacy: Legacy = _section(Legacy)
    upstream: Upstream = _section(Upstream)
    cache: Cache = _section(Cache)
    changes: Changes = _section(Changes)
    edge: Edge = _section(Edge)
    log: Log = _section(Log)
    shadow: Shadow = _section(Shadow)
    mail: Mail = _section(Mail)
    limits: RateLimits = _section(RateLimits)
    origins: Mapping[str, str] = field(factory=dict, repr=False, eq=False)


@frozen
class Key:
    """One key as the code above defines it."""

    section: str
    name: str
    read: Read[Any]
    about: str
    secret: bool

    @property
    def dotted(self) -> str:
        """``section.key``, as in messages and documentation."""
        return f"{self.section}.{self.name}"

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return f"{PREFIX}{self.section}_{self.name}".upper()


def keys() -> Iterator[Key]:
    """Every key, in the order of the sections above."""
    for section, cls in sections().items():
        for one in attrs.fields(cls):
            yield Key(section, one.name, **one.metadata)


def sections() -> dict[str, type]:
    """Section name → the class of its keys."""
    return {one.name: one.metadata["section"] for one in attrs.fields(Config) if one.metadata}
