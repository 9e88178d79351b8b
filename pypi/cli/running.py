"""Running one command on a reactor: configuration in, exit status out."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NoReturn

import click
from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.logger import LogLevel, globalLogPublisher
from twisted.python.failure import Failure

from pypi.app import Application, build
from pypi.config import Config, ConfigError, load
from pypi.foundations import EXPECTED, Foundations
from pypi.process.clock import steady


def configured(context: click.Context, **overrides: object) -> Config:
    """The configuration this command runs with; ends the command with status 2 where it is wrong.

    Args:
        overrides: ``section__key`` → value; ``None`` for one not given.
    """
    given = {key.replace("__", "."): value for key, value in overrides.items() if value is not None}
    path: Path | None = context.find_root().params.get("config_file")
    try:
        return load(path, overrides=given)
    except ConfigError as error:
        fail(str(error), status=2)


def fail(sentence: str, *, status: int = 1) -> NoReturn:
    """End the command with a sentence on stderr."""
    click.echo(f"cheeseshop: {sentence}", err=True)
    sys.exit(status)


def show(value: Any, *, as_json: bool, text: Callable[[Any], str]) -> None:
    """Print data, for programs or for people."""
    click.echo(json.dumps(value, indent=2, default=str) if as_json else text(value))


def run(command: Callable[[Any], Awaitable[None]]) -> None:
    """Run a command on the reactor; expected failures become one sentence and status 1.

    Raises:
        SystemExit: the command failed, or asked for a status other than 0.
    """
    complain: Any = _complain
    globalLogPublisher.addObserver(complain)

    async def guarded(reactor: Any) -> None:
        steady(reactor)
        try:
            await command(reactor)
        except EXPECTED as refusal:
            click.echo(f"cheeseshop: {refusal}", err=True)
            raise SystemExit(1) from None

    try:
        react(lambda reactor: Deferred.fromCoroutine(guarded(reactor)))
    except SystemExit as end:
        # It ends the process even when all went well, and the command may have more to say.
        if end.code:
            raise


def _complain(event: Any) -> None:
    if event.get("log_level") in {LogLevel.error, LogLevel.critical} and "log_failure" in event:
        failure: Failure = event["log_failure"]
        click.echo(failure.getTraceback(), err=True)


@asynccontextmanager
async def application(config: Config, reactor: Any, *, migrate: bool = True) -> AsyncIterator[Application]:
    """The index without its listeners: on the servers of a running service, or on ones started for now."""
    foundations = Foundations(config, reactor)
    await foundations.start(migrate=migrate)
    try:
        origin = config.service.origin or f"http://{config.service.interface}:{config.service.port}"
        built = build(
            config,
            reactor,
            database_url=foundations.database_url,
            redis_url=foundations.redis_url,
            origin=origin,
        )
        await built.start()
        try:
            yield built
        finally:
            await built.stop()
    finally:
        await foundations.stop()
