"""``cheeseshop yank``: taking a bad release out of the way of installers."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from pypi.cli.running import application, configured, run, show
from pypi.domain.permissions import OPERATOR
from pypi.process.picture import folder_of

PATIENCE = 2.0
"""Seconds the workers of this machine have to hear of it."""

QUESTION = b"GET /health/serial HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@click.command()
@click.argument("project")
@click.argument("version")
@click.option("--reason", default="", help="For those who install it nevertheless; one line.")
@click.option("--undo", is_flag=True, help="Offer the release again.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def yank(context: click.Context, project: str, version: str, reason: str, undo: bool, as_json: bool) -> None:
    """Hide a release from installers that do not ask for exactly this version (PEP 592).

    Its files stay where they are. When the command ends, every worker of a service on this machine shows it.
    """
    config = configured(context)
    outcome: dict[str, Any] = {"project": project, "version": version, "yanked": not undo}

    async def command(reactor: Any) -> None:
        async with application(config, reactor) as index:
            if undo:
                outcome["serial"] = await index.yanks.unyank(OPERATOR, project, version)
            else:
                outcome["serial"] = await index.yanks.yank(OPERATOR, project, version, reason)

    run(command)
    outcome["shown"] = outcome["serial"] is None or _is_shown(
        folder_of(config.service.data), outcome["serial"]
    )
    show(outcome, as_json=as_json, text=_told)


def _told(outcome: dict[str, Any]) -> str:
    state = "yanked" if outcome["yanked"] else "offered"
    what = f"{outcome['project']} {outcome['version']}"
    if outcome["serial"] is None:
        return f"{what} was {state} before."
    late = "" if outcome["shown"] else " Not every worker has heard of it yet."
    return f"{what} is {state}, by change {outcome['serial']}.{late}"


def _is_shown(folder: Path, serial: int) -> bool:
    """Wait until every worker shows a change."""
    ends = time.monotonic() + PATIENCE
    behind = list(folder.glob("worker-*.sock"))
    while behind and time.monotonic() < ends:
        behind = [path for path in behind if 0 <= _serial(path) < serial]
        if behind:
            time.sleep(0.01)
    return not behind


def _serial(path: Path) -> int:
    """The last change a worker has heard of; -1 for one that is not there."""
    with suppress(OSError, ValueError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(str(path))
        connection.sendall(QUESTION)
        with connection.makefile("rb") as answer:
            return int(answer.read(64 << 10).rpartition(b"\r\n\r\n")[2])
    return -1
