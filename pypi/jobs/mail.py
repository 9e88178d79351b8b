"""Sends the letters that committed changes ask for.

Each is an errand ``mail`` of an outbox of its own, for a mail server may be slow and purges may not wait.
Who dies between the server's acknowledgement and the deletion of the row, or loses the connection before the
acknowledgement of a message that was given whole, leaves a letter that is sent again, with the same
Message-ID: SMTP has no way to say both at once. Nothing else is ever sent twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from attrs import define, field
from twisted.logger import Logger

from caching.figures import Figure, counter, gauge
from pypi.config import Config
from pypi.db.database import Database
from pypi.db.queries.outbox import Errand
from pypi.failpoints import failpoint
from pypi.jobs.outbox import Handler, Outbox
from pypi.mail.folder import Folder
from pypi.mail.mailer import Mailer, Refused, host_of
from pypi.mail.post import KIND, NoLetter, Posted
from pypi.mail.smtp_url import SmtpServer

if TYPE_CHECKING:
    from pypi.mail.messages import Messages

log = Logger()

LONGEST = 600.0
"""Seconds until the next try, at most: servers that do not know us want to be asked again, but not often."""

ALARM = 900.0
"""Seconds a letter may wait before the operator is told."""


@define(kw_only=True, eq=False)
class SendMail:
    """Puts letters into words and hands them to whoever carries them.

    Attributes:
        origin: URL of the index, without a slash at its end.
        index: what it is called.
        sender: of the letters, as ``mail.sender`` says it.
    """

    mailer: Mailer
    origin: str
    index: str
    sender: str
    now: Callable[[], datetime] = field(repr=False)
    sent: int = field(default=0, init=False)
    given_up: int = field(default=0, init=False)

    @cached_property
    def messages(self) -> Messages:
        """What has the words; made for the first letter."""
        # Imported here: most workers send no letter; with it come Jinja and the library's parsers of mail.
        from pypi.mail.messages import Messages

        return Messages(origin=self.origin, index=self.index, sender=self.sender)

    def handlers(self) -> Mapping[str, Handler]:
        """Kind of errand → what does it; one at a time, so that one that fails has no other sent again."""
        return {KIND: Handler(do=self._do)}

    def outbox(self, database: Database, reactor: Any, *, elsewhere: Sequence[str]) -> Outbox:
        """What has them done.

        Args:
            elsewhere: kinds of errands that another outbox does.
        """
        return Outbox(
            database=database,
            reactor=reactor,
            now=self.now,
            handlers=self.handlers(),
            elsewhere=elsewhere,
            longest=LONGEST,
            alarm=ALARM,
            meaning="no mail goes out; `cheeseshop doctor` says why",
        )

    async def _do(self, errands: Sequence[Errand]) -> None:
        for errand in errands:
            try:
                await self._send(errand)
            except (NoLetter, Refused) as error:
                self._give_up(errand, str(error))

    async def _send(self, errand: Errand) -> None:
        posted = Posted.of(errand.payload)
        if self.now() > posted.until:
            raise Refused(f"it was worth sending until {posted.until:%Y-%m-%d %H:%M} UTC, in vain")
        await self.mailer.send(self.messages.write(posted, number=errand.id))
        failpoint("mail.after-sent")
        self.sent += 1

    def _give_up(self, errand: Errand, why: str) -> None:
        """Say so, once; the row is deleted as if it had been sent."""
        self.given_up += 1
        to = str(errand.payload.get("to", ""))
        log.warn(
            "A letter ({letter}) to {to} is given up after {attempts} tries: {why}",
            letter=str(errand.payload.get("letter", "")),
            to=f"{to[:1]}…{to[to.rfind('@') :]}" if "@" in to else "nobody",
            attempts=errand.attempts + 1,
            why=why.replace(to, "(the address)") if to else why,
        )


def figures(job: SendMail, outbox: Outbox) -> Iterator[Figure]:
    """How mail is doing, for metrics."""
    stats = outbox.stats()
    yield gauge("mail_waiting", "Letters that are to be sent, of all workers.", stats.waiting)
    yield gauge("mail_oldest_seconds", "Age of the oldest of them.", stats.age)
    yield counter("mail_sent", "Letters this worker has handed over.", job.sent)
    yield counter("mail_given_up", "Letters that were refused for good, or were too old.", job.given_up)
    yield counter("mail_failures", "Tries of this worker that failed; they are repeated.", stats.failed)


def send_mail(config: Config, reactor: Any, *, origin: str, now: Callable[[], datetime]) -> SendMail | None:
    """What sends mail as the ``[mail]`` section says; ``None`` where it is off.

    Args:
        origin: URL of the index, without a slash at its end.
    """
    if config.mail.url == "off":
        return None
    return SendMail(
        mailer=_mailer(config, reactor, host_of(origin)),
        origin=origin,
        index=config.pages.name,
        sender=config.mail.sender,
        now=now,
    )


def _mailer(config: Config, reactor: Any, host: str) -> Mailer:
    url = urlsplit(config.mail.url)
    if url.scheme in {"", "file"}:
        return Folder(
            path=Path(unquote(url.path)) if url.path else config.service.data / "mail", reactor=reactor
        )
    # Imported here: it is Twisted's SMTP, and an index that is tried out has a folder.
    from pypi.mail.smtp import Smtp

    return Smtp(server=SmtpServer.from_url(config.mail.url), reactor=reactor, identity=host)
