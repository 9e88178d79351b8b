"""All that is done to projects once they are published, put together: pages, API and commands take of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

from pypi.accounts.sessions import Sessions
from pypi.db.database import Database
from pypi.index.private import Private
from pypi.index.withheld import Withheld
from pypi.publishing.deletion import Deletions
from pypi.publishing.kept_names import KeptNames
from pypi.publishing.leaving import Leaving
from pypi.publishing.publish import Publisher
from pypi.publishing.quarantine import Quarantines
from pypi.publishing.reads import Reads
from pypi.publishing.renaming import Renaming
from pypi.publishing.roles import Roles
from pypi.publishing.rules import Rules
from pypi.publishing.status import Statuses
from pypi.publishing.yank import Yanks


@frozen(kw_only=True, eq=False)
class Acts:
    """What its owners do to a project, and what its operators do."""

    yanks: Yanks
    deletions: Deletions
    statuses: Statuses
    roles: Roles
    reads: Reads
    renaming: Renaming
    leaving: Leaving
    quarantines: Quarantines
    kept_names: KeptNames


def acts(
    rules: Rules,
    *,
    database: Database,
    publisher: Publisher,
    sessions: Sessions,
    withheld: Withheld,
    private: Private,
    announce: Callable[[int, Sequence[str]], Awaitable[None]],
    now: Callable[[], datetime],
) -> Acts:
    """Put it together.

    Args:
        announce: has every process forget what a change made old.
    """
    standing: dict[str, Any] = {"database": database, "now": now}
    # This process knows at once by which names what is private goes, and who reads it.
    writing = standing | {"announce": private.after(announce)}
    return Acts(
        yanks=Yanks(**writing),
        deletions=Deletions(forget=publisher.forget, **writing),
        statuses=Statuses(**writing),
        roles=Roles(**writing),
        reads=Reads(**writing),
        renaming=Renaming(rules=rules, **writing),
        leaving=Leaving(sessions=sessions, **writing),
        quarantines=Quarantines(withhold=withheld.look, **writing),
        kept_names=KeptNames(**standing),
    )
