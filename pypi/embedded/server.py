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
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool

from pypi.embedded import processes
from pypi.embedded.errors import EmbeddedServerFailed
from pypi.embedded.folders import discard_socket_folder, private_folder, socket_folder
from pypi.embedded.locks import Share, alone, handed_on
from pypi.embedded.watch import Watch

ENDING_WAIT = 2.0
"""Seconds the last processes of a dead server may take to be gone."""

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
    """

    title: ClassVar[str]
    program: ClassVar[str]
    socket_name: ClassVar[str]

    folder: Path = field(converter=_resolved)
    reactor: Any = field(repr=False)
    on_loss: Callable[[], object] = field(default=lambda: None, repr=False, kw_only=True)
    patience: float = field(default=120.0, repr=False, kw_only=True)
    _pid: int = field(default=0, init=False)
    _sockets: Path = field(factory=Path, init=False, repr=False)
    _child: Popen[bytes] | None = field(default=None, init=False, repr=False)
    _share: Share = field(init=False, repr=False)
    _stopping: Event = field(factory=Event, init=False, repr=False)
    _pool: ThreadPool | None = field(default=None, init=False, repr=False)
    _watch: Watch = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._share = Share(self.folder / "users.lock")
        self._watch = Watch(self.title, self.reactor, self._lives, self._restarted, self.on_loss)

    @property
    def is_up(self) -> bool:
        """Whether the server is in use and lived at the last look."""
        return self._watch.is_up

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
        self._watch.start()
        return self.url

    async def stop(self) -> None:
        """Stop using the server, and stop it unless another process uses it; takes at most 5 s."""
        self._stopping.set()
        self._watch.stop()
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
    def _prepare(self) -> None:
        """Make what the server needs and does not find."""

    @abstractmethod
    def _launch(self, lock: int) -> Popen[bytes]:
        """Start the server, with no file of a former one in its way.

        Args:
            lock: descriptor it inherits.
        """

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
            self._prepare()
            self._end()
            with handed_on(self.folder / "server.lock", wait=ENDING_WAIT) as lock:
                self._child = self._launch(lock)
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

    # --- in the reactor's thread --------------------------------------------------------------------------

    def _lives(self) -> bool:
        self._reap()
        processes.bound_log(self._log)
        return processes.works_in(self._pid, self._workplace, self.program)

    def _restarted(self) -> Deferred[None]:
        assert self._pool is not None
        return deferToThreadPool(self.reactor, self._pool, self._restart)

    def _reap(self) -> None:
        if self._child is not None and self._child.poll() is not None:
            self._child = None

    @property
    def _socket(self) -> Path:
        return self._sockets / self.socket_name

    @property
    def _log(self) -> Path:
        return self.folder / f"{self.program}.log"
