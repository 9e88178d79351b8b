"""What the configuration decides alone: which adapter, which rules, which names."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from trove_classifiers import classifiers, deprecated_classifiers

from caching.client import Client
from caching.fastly import Fastly
from caching.purge import Purger
from caching.varnish import Varnish
from pypi.config import Config
from pypi.config.values import is_loopback
from pypi.domain.names import normalize
from pypi.domain.permissions import Access
from pypi.domain.switches import Switches
from pypi.files.local import LocalFiles
from pypi.files.spool import Spool
from pypi.files.store import FileStore
from pypi.files.workers import Workers
from pypi.http.hosts import Hosts
from pypi.publishing.rules import Classifiers, Rules
from pypi.web.downloads_handoff import Handoff, ToBucket, ToFront


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
