"""``cheeseshop serve``: the whole service in the foreground."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from pypi.cli.running import configured


@click.command()
@click.option("-p", "--port", type=int, help="TCP port of the index, in place of service.port.")
@click.option("-d", "--data", type=click.Path(path_type=Path, file_okay=False), help="Folder of all data.")
@click.pass_context
def serve(context: click.Context, port: int | None, data: Path | None) -> None:
    """Run the index until Ctrl-C; the log goes to stderr, the ready line to stdout.

    This is `twistd -n pypi` without its pid file.
    """
    from twisted.internet import reactor as twisted_reactor
    from twisted.logger import (
        FilteringLogObserver,
        LogLevel,
        LogLevelFilterPredicate,
        globalLogBeginner,
        textFileLogObserver,
    )

    from pypi.service import CheeseshopService

    settings = configured(context, service__port=port, service__data=None if data is None else str(data))
    reactor: Any = twisted_reactor
    informative: Any = LogLevelFilterPredicate(LogLevel.info)
    to_stderr: Any = textFileLogObserver(sys.stderr)
    observer: Any = FilteringLogObserver(to_stderr, [informative])
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False)
    failures: list[str] = []

    def failed(sentence: str) -> None:
        failures.append(sentence)
        reactor.callLater(0, reactor.stop)

    service = CheeseshopService(settings, reactor, failed)
    reactor.callWhenRunning(service.startService)
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
    reactor.run()
    for sentence in failures:
        click.echo(f"cheeseshop: {sentence}", err=True)
    sys.stdout.flush()
    sys.stderr.flush()
    if failures:
        os._exit(1)
