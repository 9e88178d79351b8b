"""What embedded servers have in common: shared by processes, watched, started again when they die."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from signal import Signals
from subprocess import Popen
from threading import Event, Thread
from typing import Any, ClassVar

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from pypi.embedded import processes
from pypi.embedded.errors import EmbeddedServerFailed
from pypi.embedded.folders import discard_socket_folder, private_folder, socket_folder
from pypi.embedded.locks import Share, alone

LOOK = 0.5
"""Seconds between two looks at a running server."""

STEADY = 60.0
"""Seconds after which a server that dies is started again without a longer pause."""

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 30.0

LEAVING_WAIT = 0.5
"""Seconds a stopping process waits for one that is starting; that one then uses the server anyway."""

log = Logger()


def _resolved(path: Path) -> Path:
    return Path(path).resolve()


@define(eq=False)
class Server(ABC):
    """A server under the data folder that all processes of this index share.

    The first process to ``start`` starts it, the last to ``stop`` stops it. Processes that were killed count
    as stopped, and what they left running is found and used again. While in use, it is started again, ever
    more slowly, when its process disappears.

    Attributes:
        folder: all of the server's files; made when missing, resolved.
        reactor: where the server is watched.
        on_loss: called each time the server turned out dead; it will be started again.
        patience: seconds a start may take; a long recovery after a crash is part of it.
        is_up: whether the server lived at the last look.
    """

    title: ClassVar[str]
    program: ClassVar[str]
    socket_name: ClassVar[str]

    folder: Path = field(converter=_resolved)
    reactor: Any = field(repr=False)
    on_loss: Callable[[], object] = field(default=lambda: None, repr=False, kw_only=True)
    patience: float = field(default=120.0, repr=False, kw_only=True)
    is_up: bool = field(default=False, init=False)
    _pid: int = field(default=0, init=False)
    _sockets: Path = field(factory=Path, init=False, repr=False)
    _child: Popen[bytes] | None = field(default=None, init=False, repr=False)
    _share: Share = field(init=False, repr=False)
    _stopping: Event = field(factory=Event, init=False, repr=False)
    _pool: ThreadPool | None = field(default=None, init=False, repr=False)
    _watching: Deferred[None] | None = field(default=None, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._share = Share(self.folder / "users.lock")

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients reach the server once it was started."""

    async def start(self) -> str:
        """Find the server or start it.

        Returns:
            `url`; it holds as long as the server is in use.

        Raises:
            EmbeddedServerFailed: it cannot be had; nothing is left running.
        """
        self._stopping.clear()
        self._pool = ThreadPool(0, 1, self.program)
        self._pool.threadFactory = partial(Thread, daemon=True)  # type: ignore[assignment]
        self._pool.start()
        try:
            await deferToThreadPool(self.reactor, self._pool, self._join)
            self._refuse_when_stopping()
        except Exception:
            await self.stop()
            raise
        self.is_up = True
        self._watching = Deferred.fromCoroutine(self._watch())
        self._watching.addErrback(_report_end)
        return self.url

    async def stop(self) -> None:
        """Stop using the server, and stop it unless another process uses it; takes at most 5 s."""
        self._stopping.set()
        self.is_up = False
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
        pool = self._pool
        if pool is not None:
            await deferToThreadPool(self.reactor, pool, self._leave)
            if pool is self._pool:  # else a second call of ours came first
                self._pool = None
                pool.stop()

    async def __aenter__(self) -> str:
        return await self.start()

    async def __aexit__(self, *raised: object) -> None:
        await self.stop()

    # --- what each server does its own way; all of it blocks ----------------------------------------------

    @abstractmethod
    def _find(self) -> int:
        """The process id of a running server that can be used; 0 when there is none any more."""

    @abstractmethod
    def _launch(self) -> Popen[bytes]:
        """Start the server, with nothing of a former one in its way."""

    @abstractmethod
    def _is_ready(self) -> bool:
        """Whether the server that was launched takes connections."""

    @abstractmethod
    def _end(self) -> None:
        """End the server's processes."""

    @property
    @abstractmethod
    def _workplace(self) -> Path:
        """The folder the server's process works in; it is recognised by that."""

    def _owner(self) -> int:
        """The uid the server runs as, as far as its files tell."""
        return os.geteuid()

    @abstractmethod
    def _check_installed(self) -> None:
        """Refuse when the server's program is not installed."""

    @abstractmethod
    def _settle(self) -> None:
        """See to what clients expect of a server that is ready."""

    # --- in the thread ------------------------------------------------------------------------------------

    def _join(self) -> None:
        self._check_installed()
        try:
            private_folder(self.folder)
            with self._alone(self.patience, self._stopping):
                self._share.take()
                self._ensure()
        except OSError as error:
            raise EmbeddedServerFailed(f"The embedded {self.title} cannot be started: {error}.") from error

    def _leave(self) -> None:
        if not self._share.held:
            return
        try:
            with suppress(EmbeddedServerFailed), self._alone(LEAVING_WAIT):
                if self._share.is_last():
                    self._end()
                    discard_socket_folder(self.folder)
                self._share.release()
        finally:
            self._share.release()
            self._reap()

    def _restart(self) -> None:
        with self._alone(self.patience, self._stopping):
            self._ensure()

    def _ensure(self) -> None:
        self._reap()
        self._sockets = socket_folder(self.folder, self.socket_name, owner=self._owner())
        self._pid = self._find()
        if not self._pid:
            self._child = self._launch()
            self._pid = self._child.pid
            self._await_ready(self._child)
            log.info("{title} started as process {pid}", title=self.title, pid=self._pid)
        self._settle()

    def _await_ready(self, child: Popen[bytes]) -> None:
        self._await(lambda: child.poll() is not None or self._is_ready())
        if child.poll() is not None:
            raise self._failed(f"ended at once with status {child.returncode}")

    def _await(self, condition: Callable[[], bool]) -> None:
        if not processes.wait_until(condition, self.patience, self._stopping):
            self._refuse_when_stopping()
            raise self._failed(f"did not become ready within {self.patience:.0f} s")

    def _refuse_when_stopping(self) -> None:
        if self._stopping.is_set():
            raise self._failed("was asked to stop while it started")

    def _failed(self, what: str) -> EmbeddedServerFailed:
        said = processes.last_words(self._log)
        return EmbeddedServerFailed(
            f"The embedded {self.title} {what}. Its log, {self._log}, ends: {said or '(empty)'}"
        )

    def _alone(self, wait: float, stopping: Event | None = None) -> Any:
        return alone(self.folder / "start.lock", wait=wait, stopping=stopping)

    def _end_all(self, *steps: tuple[Signals, float]) -> None:
        processes.end(lambda: processes.working_in(self._workplace, self.program), steps)

    # --- watching -----------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        losses = 0
        while True:
            since = self.reactor.seconds()
            while self._lives():
                self.is_up = True
                await deferLater(self.reactor, LOOK)
                processes.bound_log(self._log)
            losses = losses + 1 if self.reactor.seconds() - since < STEADY else 1
            self._report_loss()
            await deferLater(self.reactor, pause_after(losses))
            await self._try_restart()

    def _lives(self) -> bool:
        self._reap()
        return processes.works_in(self._pid, self._workplace, self.program)

    def _report_loss(self) -> None:
        if self.is_up:
            self.is_up = False
            log.error("{title}, process {pid}, is gone; starting it again", title=self.title, pid=self._pid)
            self.reactor.callLater(0, self.on_loss)

    async def _try_restart(self) -> None:
        assert self._pool is not None
        try:
            await deferToThreadPool(self.reactor, self._pool, self._restart)
        except CancelledError:
            raise
        except Exception as error:  # whatever it is, the next try comes
            log.error("{title} did not start again: {error}", title=self.title, error=error)

    def _reap(self) -> None:
        if self._child is not None and self._child.poll() is not None:
            self._child = None

    @property
    def _socket(self) -> Path:
        return self._sockets / self.socket_name

    @property
    def _log(self) -> Path:
        return self.folder / f"{self.program}.log"


def pause_after(losses: int) -> float:
    """Seconds to wait before a server is started again that died so many times in short order."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (min(losses, 16) - 1))


def _report_end(failure: Failure) -> None:
    if not isinstance(failure.value, CancelledError):
        log.failure("An embedded server is no longer watched", failure)
