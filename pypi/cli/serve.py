"""``cheeseshop serve``: the whole service in the foreground."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import click

from pypi.cli.running import configured
from pypi.config import Config
from pypi.process import foreground
from pypi.process.child import ROOT
from pypi.process.supervisor import size_of
from pypi.service import service_of


@click.command()
@click.option("-p", "--port", type=int, help="TCP port of the index, in place of service.port.")
@click.option("-d", "--data", type=click.Path(path_type=Path, file_okay=False), help="Folder of all data.")
@click.option(
    "-w", "--workers", type=int, help="Worker processes, in place of service.workers; 0 = one per core."
)
@click.pass_context
def serve(context: click.Context, port: int | None, data: Path | None, workers: int | None) -> None:
    """Run the index until Ctrl-C; the log goes to stderr, the ready line to stdout.

    This is `twistd -n pypi` without its pid file.
    """
    from twisted.internet import reactor

    given = {"port": port, "data": None if data is None else str(data), "workers": workers}
    settings = configured(context, **{f"service__{name}": value for name, value in given.items()})
    if size_of(settings) > 1:
        _supervise(context, given)

    def read() -> Config:
        raise AssertionError("one process is not reloaded")

    foreground.run(reactor, lambda failed: service_of(settings, read, reactor, failed))


def _supervise(context: click.Context, given: Mapping[str, object]) -> NoReturn:
    """Go on as a supervisor, which carries nothing of all that a command line imports."""
    options = {**given, "config": context.find_root().params.get("config_file")}
    arguments = [f"--{name}={value}" for name, value in options.items() if value is not None]
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-P", "-m", "pypi.service", *arguments]
    os.execve(sys.executable, command, os.environ | {"PYTHONPATH": path})  # noqa: S606
