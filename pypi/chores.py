"""All that is done by and by, put together once: what empties outboxes, tidies up and counts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from attrs import field, frozen

from caching.client import Client
from caching.purge import Purger
from pypi.accounts.last_used import LastUsed
from pypi.config import Config
from pypi.configured import shown_at
from pypi.db.database import Database
from pypi.http.downloaded import Downloaded
from pypi.http.usage import Usage
from pypi.jobs.audit import Audit
from pypi.jobs.downloads import KeepDownloads, TendDownloads
from pypi.jobs.mail import SendMail, send_mail
from pypi.jobs.mail import figures as of_mail
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
from pypi.metrics.readings import Reading, of_outbox
from pypi.publishing.descriptions import Renderer


@frozen(kw_only=True, eq=False)
class Chores:
    """What is done by and by.

    Attributes:
        outbox: what others are told of changes, but for letters.
        mail: who sends letters; ``None`` where no mail goes anywhere.
        letters: what has them sent; ``None`` there.
        schedule: has each job done at its own pace, these and all others.
    """

    outbox: Outbox
    mail: SendMail | None
    letters: Outbox | None
    purges: Purges
    usage: KeepUsage
    downloads: KeepDownloads
    rerender: Rerender
    schedule: Schedule = field(repr=False)

    @property
    def parts(self) -> tuple[Any, ...]:
        """What has to be started after all it stands on."""
        letters = (self.letters,) if self.letters else ()
        return (self.usage, self.downloads, self.schedule, self.outbox, *letters, self.rerender)

    @property
    def readings(self) -> tuple[Any, ...]:
        """What shows figures of it."""
        found = (self.downloads.downloaded, self.rerender, Reading(lambda: of_outbox(self.outbox.stats())))
        mail, letters = self.mail, self.letters
        return (*found, Reading(lambda: of_mail(mail, letters))) if mail and letters else found

    @property
    def probes(self) -> dict[str, Callable[[], Awaitable[object]]]:
        """Whom it needs outside: a call that fails where one does not answer."""
        return {"mail": self.mail.mailer.probe} if self.mail else {}


def chores(
    config: Config,
    reactor: Any,
    *,
    database: Database,
    origin: str,
    edge: Purger | None,
    client: Client,
    renderer: Renderer,
    sweep: Sweep,
    used: Usage,
    last_used: LastUsed,
    tidied: Sequence[Callable[[], Awaitable[int]]],
    announce: Callable[[int, Sequence[str]], Awaitable[None]],
    now: Callable[[], datetime],
) -> Chores:
    """Put it together, by the ``[mail]`` and ``[edge]`` sections.

    Args:
        edge: who is told of changes; ``None`` for nobody.
        used: what features were used here.
        last_used: when tokens were.
        tidied: what forgets what is over, a bounded number at once.
        announce: has every process forget what a change made old.
    """
    standing: dict[str, Any] = {"database": database, "now": now}
    mail = send_mail(config, reactor, origin=origin, now=now)
    outbox = Outbox(
        reactor=reactor,
        handlers=Purge(purger=edge).handlers() if edge else {},
        elsewhere=tuple(mail.handlers()) if mail else (),
        **standing,
    )
    letters = mail.outbox(database, reactor, elsewhere=tuple(outbox.handlers)) if mail else None
    purges = Purges(edge=edge is not None, **standing)
    usage = KeepUsage(used, database, reactor)
    downloads = KeepDownloads(Downloaded(now), database, reactor)
    rerender = Rerender(renderer=renderer, reactor=reactor, announce=announce, **standing)
    jobs: list[Job] = [
        outbox,
        InTurn(job=sweep, name="sweep", **standing),
        usage,
        InTurn(job=ForgetUsage(**standing), name="usage", **standing),
        downloads,
        KeepTokenUse(last_used),
        InTurn(job=TendDownloads(**standing), name="downloads", **standing),
        InTurn(job=Tidy(kinds=tidied), name="tidy", **standing),
        InTurn(job=MarkPopular(database), name="popular", **standing),
        InTurn(job=rerender, name="rerender", **standing),
    ]
    if edge and shown_at(config):
        audit = Audit(purges=purges, client=client, url=shown_at(config), **standing)
        jobs.append(InTurn(job=audit, name="audit", **standing))
    if letters:
        jobs.append(letters)
    return Chores(
        outbox=outbox,
        mail=mail,
        letters=letters,
        purges=purges,
        usage=usage,
        downloads=downloads,
        rerender=rerender,
        schedule=Schedule(reactor, jobs=jobs),
    )
