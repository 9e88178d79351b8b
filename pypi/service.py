"""Cheeseshop as a ``twistd`` service: what is started, in which order, and stopped again."""

# mypy: allow-untyped-calls

from __future__ import annotations

import atexit
import gc
import os
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.logger import Logger
from twisted.python import usage

from pypi import failpoints
from pypi.app import Application, build
from pypi.config import Config, ConfigError, load
from pypi.foundations import EXPECTED, Foundations
from pypi.http.caller import Networks
from pypi.http.hosts import Hosts
from pypi.http.site import Site

log = Logger()

BACKLOG = 1024
LOOPBACK = ("127.0.0.0/8", "::1/128")


class Options(usage.Options):
    """Options of ``twistd pypi``; everything else is configuration."""

    synopsis = "[options]"
    optParameters = [  # noqa: RUF012  # usage.Options wants a list on the class
        ["config", "c", None, "TOML file to read the configuration from."],
        ["port", "p", None, "TCP port of the index, in place of service.port."],
        ["data", "d", None, "Folder of all data, in place of service.data."],
    ]

    def overrides(self) -> Mapping[str, object]:
        """The options as configuration keys."""
        given = {"service.port": self["port"], "service.data": self["data"]}
        return {key: value for key, value in given.items() if value is not None}


class StartFailed(Exception):
    """The service cannot start; ``str()`` is for the operator."""


class CheeseshopService(Service):
    """The whole index as one service.

    Attributes:
        failed: called with a sentence when the service could not start.
    """

    name = "pypi"

    def __init__(self, config: Config, reactor: Any, failed: Callable[[str], None]) -> None:
        self.config = config
        self.reactor = reactor
        self.failed = failed
        self._foundations = Foundations(config, reactor)
        self._application: Application | None = None
        self._ports: list[Any] = []
        self._starting: Deferred[None] | None = None

    def startService(self) -> None:
        """Start everything; the ready line says when it is done."""
        Service.startService(self)
        self._starting = Deferred.fromCoroutine(self._start())
        self._starting.addErrback(self._report)

    def stopService(self) -> Deferred[None]:
        """Stop everything that was started, also in the middle of starting."""
        Service.stopService(self)
        return Deferred.fromCoroutine(self._stop())

    async def _start(self) -> None:
        _arm(os.environ.get(failpoints.VARIABLE, ""))
        service, operator = self.config.service, self.config.operator
        listening = bind(service.interface, service.port, "service.port")
        operators = bind(operator.interface, operator.port, "operator.port")
        origin = service.origin or f"http://{_host(service.interface)}:{listening.getsockname()[1]}"
        await self._foundations.start()
        application = build(
            self.config,
            self.reactor,
            database_url=self._foundations.database_url,
            redis_url=self._foundations.redis_url,
            origin=origin,
        )
        await application.start()
        self._application = application
        self._listen(listening, application.public, application.hosts)
        health = f"http://{_host(operator.interface)}:{operators.getsockname()[1]}/health/ready"
        self._listen(operators, application.operator, Hosts.of([], loopback=True))
        log.info("The index: {index}", index=f"{origin}/")
        log.info("Health for the operator: {health}", health=health)
        gc.collect()
        gc.freeze()
        # Whoever waits for this line reads the true stdout; under twistd sys.stdout is the log.
        print(f"Cheeseshop ready: {origin}/", file=sys.__stdout__, flush=True)

    def _listen(self, listening: socket.socket, resource: Any, hosts: Hosts) -> None:
        assert self._application is not None
        site = Site(
            resource,
            reactor=self.reactor,
            hosts=hosts,
            callers=self._application.callers,
            limits=self._application.limits,
            uncounted=Networks.of([*LOOPBACK, *self.config.service.trusted_proxies]),
        )
        port = self.reactor.adoptStreamPort(listening.fileno(), listening.family, site)
        listening.close()
        self._ports.append(port)

    async def _stop(self) -> None:
        if self._starting is not None:
            self._starting.cancel()
            await self._starting
        for port in self._ports:
            await maybeDeferred(port.stopListening)
        if self._application is not None:
            await self._application.stop()
        await self._foundations.stop()

    def _report(self, failure: Any) -> None:
        if failure.check(CancelledError):
            return
        if not failure.check(StartFailed, *EXPECTED):
            log.failure("Cheeseshop could not start", failure)
        self.failed(failure.getErrorMessage() or failure.type.__name__)


def _arm(wanted: str) -> None:
    try:
        failpoints.arm(wanted)
    except failpoints.UnknownFailpoint as error:
        raise StartFailed(str(error)) from None


def bind(interface: str, port: int, key: str) -> socket.socket:
    """A listening TCP socket.

    Raises:
        StartFailed: the address is taken or is not ours; names the configuration key.
    """
    family = socket.AF_INET6 if ":" in interface else socket.AF_INET
    try:
        listening = socket.create_server((interface, port), family=family, backlog=BACKLOG)
    except OSError as error:
        # create_server repeats the address in the system's text; a name that is not known has another text.
        reason = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        raise StartFailed(f"{key}: cannot listen on {interface}:{port}: {reason}.") from None
    listening.setblocking(False)
    return listening


def _host(interface: str) -> str:
    return f"[{interface}]" if ":" in interface else interface


def makeService(options: Options) -> CheeseshopService:
    """What ``twistd pypi`` runs; ends the process with status 1 where the configuration is wrong."""
    from twisted.internet import reactor

    try:
        path = options["config"] and Path(options["config"])
        config = load(path or None, overrides=options.overrides())
    except ConfigError as error:
        sys.exit(str(error))
    return CheeseshopService(config, reactor, lambda sentence: end_with_error(reactor, sentence))


def end_with_error(reactor: Any, sentence: str) -> None:
    """Stop the reactor; the process ends with status 1 after everything was stopped in order."""
    log.critical("{sentence}", sentence=sentence)
    # twistd sends sys.stderr to the log, and offers no exit status of its own. By the time this runs it
    # has removed its pid file, too.
    print(sentence, file=sys.__stderr__, flush=True)
    atexit.register(_exit_with_error)
    reactor.callLater(0, reactor.stop)


def _exit_with_error() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(1)
