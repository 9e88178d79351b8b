"""The index of one process on its sockets: made, started, drained, stopped."""

from __future__ import annotations

import ctypes
import gc
import linecache
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import define, evolve, field
from twisted.internet.defer import maybeDeferred
from twisted.logger import Logger

from caching.lane import FastLane
from pypi import failpoints
from pypi.app import Application, build
from pypi.http.caller import Networks
from pypi.http.hosts import Hosts
from pypi.http.limits import Limits, connections_within
from pypi.http.observed import Observer
from pypi.http.site import Site
from pypi.metrics.readings import Reading, of_sites
from pypi.process import descriptors
from pypi.process.drain import Drain, open_connections
from pypi.process.orders import Orders
from pypi.process.sockets import StartFailed, listen

log = Logger()

LOOPBACK = ("127.0.0.0/8", "::1/128")

OPERATORS = 64
"""Connections to each of the listeners that are not for everybody."""


@define(eq=False)
class Serving:
    """An application and the ports it answers on.

    Attributes:
        reactor: where all of it runs.
        slot: the number of this worker; 0 where one process is the service.
        generation: how many reloads it has seen, plus 1.
    """

    reactor: Any = field(repr=False)
    slot: int
    generation: int
    application: Application | None = field(default=None, init=False, repr=False)
    _ports: list[Any] = field(factory=list, init=False, repr=False)
    _sites: list[Site] = field(factory=list, init=False, repr=False)
    _private: Path | None = field(default=None, init=False, repr=False)
    _inode: int = field(default=0, init=False, repr=False)
    _drain: Drain | None = field(default=None, init=False, repr=False)

    @property
    def connections(self) -> int:
        """Those open now."""
        return open_connections(self._sites)

    async def start(self, orders: Orders, index: socket.socket, operator: socket.socket, run: Path) -> None:
        """Build everything, start it, and listen.

        Args:
            orders: what is to be served.
            index: the socket for everybody.
            operator: the socket for the operator.
            run: folder of the socket on which siblings reach this one alone.
        """
        arm()
        application = build(
            orders.config,
            self.reactor,
            database_url=orders.database_url,
            redis_url=orders.redis_url,
            origin=orders.origin,
            worker=str(self.slot),
            run=run,
        )
        await application.start()
        self.application = application
        uncounted = Networks.of([*LOOPBACK, *orders.config.service.trusted_proxies])
        nearby = Hosts.of([], loopback=True)
        lane = application.caches.lane
        observer = application.watch.observer
        many, few = self._limits(orders.config.service.connections)
        self._listen(index, application.public, application.hosts, uncounted, many, lane, observer)
        self._listen(operator, application.operator, nearby, uncounted, few)
        with self._private_socket(run) as private:
            self._listen(private, application.operator, nearby, uncounted, few)
        names = ("index", "operator", "siblings")
        sites = tuple(zip(names, self._sites, strict=True))
        application.watch.metrics.add(Reading(lambda: of_sites(sites)))
        assert self._private is not None
        self._private.chmod(0o600)  # Twisted opens it to everybody; its folder is closed to them

    def _listen(
        self,
        listening: socket.socket,
        resource: Any,
        hosts: Hosts,
        uncounted: Networks,
        limits: Limits,
        lane: FastLane | None = None,
        observer: Observer | None = None,
    ) -> None:
        assert self.application is not None
        site = Site(
            resource,
            reactor=self.reactor,
            hosts=hosts,
            callers=self.application.callers,
            limits=limits,
            uncounted=uncounted,
            access_log=observer,
            refusals=None if observer is None else observer.refuse,
            lane=lane,
        )
        site.noisy = False
        self._sites.append(site)
        self._ports.append(listen(self.reactor, listening, site))

    def _limits(self, wanted: int) -> tuple[Limits, Limits]:
        """Those of the index, and those of the other listeners."""
        assert self.application is not None
        allowed = descriptors.raised()
        most = connections_within(allowed, wanted)
        log.info(
            "Up to {most} connections, with {allowed} file descriptors allowed", most=most, allowed=allowed
        )
        if wanted > most:
            log.warn(
                "service.connections: {wanted} were asked for; raise the limit (LimitNOFILE)", wanted=wanted
            )
        limits = self.application.limits
        return evolve(limits, connections=most), evolve(limits, connections=min(most, OPERATORS))

    async def drain(self, seconds: float, idle: float = 0.0) -> None:
        """Accept no more, and finish what is under way.

        Args:
            seconds: the bound; uploads that take longer get 503.
            idle: how long a connection without a request may still bring one.
        """
        for port in self._ports:
            await maybeDeferred(port.stopListening)
        self._ports.clear()
        self._remove_private()
        if self.application is not None:
            self.application.tail.close()  # whoever follows would be there for ever
        self._drain = Drain(self.reactor, tuple(self._sites))
        await self._drain.run(seconds, idle)

    def hurry(self) -> None:
        """Let a drain end now."""
        if self._drain is not None:
            self._drain.hurry()

    async def stop(self) -> None:
        """Stop the application; requests that still wait for it get 503."""
        for port in self._ports:
            await maybeDeferred(port.stopListening)
        self._remove_private()
        if self.application is not None:
            await self.application.stop()

    def _private_socket(self, run: Path) -> socket.socket:
        """The socket ``worker-<slot>.sock``; whoever had it before keeps its connections."""
        for stale in run.glob(f".{self.slot}.*"):
            if not _is_alive(stale.suffix[1:]):
                stale.unlink(missing_ok=True)
        # Twisted removes the name a socket was bound by; the one that others know is ours to remove.
        bound, linked = run / f".{self.slot}.{os.getpid()}", run / f".{self.slot}.new"
        self._private = run / f"worker-{self.slot}.sock"
        for name in (bound, linked):
            name.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.setblocking(False)
        listening.bind(str(bound))
        listening.listen(128)
        os.link(bound, linked)
        linked.replace(self._private)
        self._inode = self._private.stat().st_ino
        return listening

    def _remove_private(self) -> None:
        if self._private is not None:
            with suppress(OSError):
                if self._private.stat().st_ino == self._inode:
                    self._private.unlink()
            self._private = None


def _is_alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ValueError, OSError):
        return False
    return True


def settle_down() -> None:
    """Everything is there: collect garbage among what is new from now on, and let threads wait less."""
    linecache.clearcache()  # the source of what attrs wrote, which nobody reads again
    gc.collect()
    gc.freeze()
    _give_back()
    # A thread that renders a large page gives way to the reactor after so many seconds, a fifth of the usual.
    sys.setswitchinterval(0.001)


def _give_back() -> None:
    """Return to the system what starting has used up; the C library would keep most of it."""
    with suppress(AttributeError, OSError):  # the GNU C library has this call, others need none
        ctypes.CDLL(None).malloc_trim(0)


def arm() -> None:
    """Arm the failpoints that the environment names.

    Raises:
        StartFailed: there is no such failpoint.
    """
    try:
        failpoints.arm(os.environ.get(failpoints.VARIABLE, ""))
    except failpoints.UnknownFailpoint as error:
        raise StartFailed(str(error)) from None
