"""What answers as the index did of old, put together: XML-RPC, old addresses and old forms."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from trove_classifiers import sorted_classifiers

from caching.limiter import Limiter
from caching.rate import Rate
from caching.redis import Redis
from legacy_compat.docs_hosting import Moved
from legacy_compat.forms import Forms
from legacy_compat.found import Found
from legacy_compat.hosts import OldHosts
from legacy_compat.redirects import OldWorld
from legacy_compat.xmlrpc.answers import Answers
from legacy_compat.xmlrpc.resource import XmlRpc
from pypi.caches import Caches
from pypi.config import Config
from pypi.configured import old_hosts
from pypi.db.database import Database
from pypi.domain.switches import Switches
from pypi.files.store import FileStore
from pypi.http.csrf import Origins
from pypi.http.hosts import Hosts
from pypi.index.database import DatabaseIndex
from pypi.index.downloads import Popularity
from pypi.index.history import History
from pypi.index.lookups import Lookups
from pypi.index.releases import Releases
from pypi.search.find import Search
from pypi.web.reading import ReadDoor
from pypi.web.upload import Upload


def xml_rpc_limit(config: Config, reactor: Any, redis: Redis) -> Limiter:
    """How many calls a client has, by the ``[limits]`` section."""
    rate = Rate.scaled(config.limits.xmlrpc, config.limits.factor)
    return Limiter(name="xmlrpc.client", rate=rate, redis=redis, seconds=reactor.seconds)


def xml_rpc(
    *,
    database: Database,
    index: DatabaseIndex,
    search: Search,
    popularity: Popularity,
    origin: str,
    files_url: str,
    kept: Caches,
    limiter: Limiter,
    switches: Switches,
) -> XmlRpc:
    """The room that answers calls."""
    return XmlRpc(
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
        switches=switches,
    )


def old_world(
    config: Config,
    *,
    hosts: Hosts,
    database: Database,
    files: FileStore,
    origin: str,
    files_url: str,
    upload: Upload,
    xmlrpc: XmlRpc,
    pages: frozenset[str],
    kept: Caches,
    switches: Switches,
    reading: ReadDoor,
    now: Callable[[], datetime],
) -> OldWorld:
    """What answers old addresses, by the ``[legacy]`` section.

    Args:
        hosts: the names of the index today.
        upload: takes what forms of old publish.
        pages: paths of today that are one page each.
    """
    return OldWorld(
        hosts=OldHosts.of(hosts, **old_hosts(config)),
        moved=Moved.of(config.legacy.docs_redirects),
        found=Found(
            lookups=Lookups(database),
            origin=origin,
            files_url=files_url,
            signed=lambda path: _has(files, path),
            classifiers=sorted_classifiers,
            now=now,
        ),
        forms=Forms(
            accepts=config.legacy.uploads == "accept",
            uploads=upload,
            upload_url=f"{origin}/legacy/",
            origins=Origins.of(origin),
            call=reading.guarded(xmlrpc.answer),
            switches=switches,
        ),
        pages=pages,
        secure_only=config.service.require_https,
        switches=switches,
        keeper=kept.keeper,
        reading=reading,
    )


async def _has(files: FileStore, path: str) -> bool:
    try:
        return await files.size(path) is not None
    except ValueError:
        return False
