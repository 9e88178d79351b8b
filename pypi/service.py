"""Cheeseshop as a ``twistd`` service: its options, and who serves: one process, or a supervisor's workers.

``python -m pypi.service`` is the same without twistd, for ``cheeseshop serve --workers``.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.logger import Logger
from twisted.python import usage

from pypi.config import Config, ConfigError, load
from pypi.process import foreground
from pypi.process.clock import steady
from pypi.process.supervisor import Supervisor, size_of

log = Logger()


class Options(usage.Options):
    """Options of ``twistd pypi``; everything else is configuration."""

    synopsis = "[options]"
    optParameters = [  # noqa: RUF012  # usage.Options wants a list on the class
        ["config", "c", None, "TOML file to read the configuration from."],
        ["port", "p", None, "TCP port of the index, in place of service.port."],
        ["data", "d", None, "Folder of all data, in place of service.data."],
        ["workers", "w", None, "Worker processes, in place of service.workers; 0 = one per core."],
    ]

    def overrides(self) -> Mapping[str, object]:
        """The options as configuration keys."""
        given = {
            "service.port": self["port"],
            "service.data": self["data"],
            "service.workers": self["workers"],
        }
        return {key: value for key, value in given.items() if value is not None}


def makeService(options: Options) -> Service:
    """What ``twistd pypi`` runs; ends the process with status 1 where the configuration is wrong."""
    from twisted.internet import reactor

    return _service(options, reactor, lambda sentence: end_with_error(reactor, sentence))


def _service(options: Options, reactor: Any, failed: Callable[[str], object]) -> Service:
    path = options["config"] and Path(options["config"]).absolute()

    def read() -> Config:
        return load(path or None, overrides=options.overrides())

    try:
        config = read()
    except ConfigError as error:
        sys.exit(str(error))
    return service_of(config, read, reactor, failed)


def service_of(
    config: Config, read: Callable[[], Config], reactor: Any, failed: Callable[[str], object]
) -> Service:
    """The service a configuration asks for.

    Args:
        config: read already.
        read: reads it again, for a reload.
        reactor: where it runs.
        failed: called with a sentence when it cannot start.
    """
    steady(reactor)
    if size_of(config) > 1:
        return Supervisor(config, read, reactor, failed)
    # Imported here: a supervisor carries nothing of the application.
    from pypi.process.alone import Alone

    return Alone(config, reactor, failed)


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


def main() -> None:
    """Run in the foreground, with the options of ``twistd pypi``."""
    from twisted.internet import reactor

    options = Options()
    options.parseOptions()
    foreground.run(reactor, lambda failed: _service(options, reactor, failed))


if __name__ == "__main__":
    main()
