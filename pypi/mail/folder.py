"""A folder instead of a mail server: for whoever tries the index out, and looks there for the links."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from attrs import field, frozen
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool

from pypi.mail.mailer import Message, NotSent

log = Logger()

MOST = 1000
"""Messages that are kept; the oldest go first."""


@frozen(kw_only=True)
class Folder:
    """Keeps each message as a file ``<number>.eml``, for its owner's eyes.

    Attributes:
        path: made when it is needed.
        most: messages kept.
    """

    path: Path
    reactor: object = field(repr=False)
    most: int = MOST

    async def send(self, message: Message) -> None:
        """Write one file more, and remove the oldest where there are too many.

        Whoever tries the index out looks for the file, so the log says where it is.
        """
        kept: list[Path] = []
        await self._away(lambda: kept.append(self._write(message)))
        log.info("A message is kept in {path}; mail.url would have it sent", path=str(kept[0]))

    async def probe(self) -> str:
        """That the folder can be written to."""
        await self._away(self._ready)
        return f"messages are kept in {self.path}, none is sent: set mail.url to send them"

    async def _away(self, work: Callable[[], None]) -> None:
        pool: ThreadPool = self.reactor.getThreadPool()  # type: ignore[attr-defined]
        try:
            await deferToThreadPool(self.reactor, pool, work)  # type: ignore[arg-type]
        except OSError as error:
            raise NotSent(f"{self.path}: {error.strerror}") from None

    def _ready(self) -> None:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise PermissionError(13, "may not be written to")

    def _write(self, message: Message) -> Path:
        self._ready()
        number = max((int(one.stem) for one in self._kept()), default=0)
        temporary = self.path / f".{os.getpid()}-{id(message):x}.tmp"
        temporary.unlink(missing_ok=True)
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(message.data)
        try:
            kept = self._name(temporary, number)
        finally:
            temporary.unlink()
        for old in self._kept()[: -self.most]:
            old.unlink(missing_ok=True)
        return kept

    def _name(self, temporary: Path, number: int) -> Path:
        """Give it the next number that no other worker takes just now."""
        while True:
            number += 1
            kept = self.path / f"{number:08}.eml"
            try:
                os.link(temporary, kept)
            except FileExistsError:
                continue
            return kept

    def _kept(self) -> list[Path]:
        return sorted(one for one in self.path.glob("*.eml") if one.stem.isascii() and one.stem.isdigit())
