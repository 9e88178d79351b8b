"""``cheeseshop workers``: how the processes of the running service are."""

from __future__ import annotations

import time
from typing import Any

import click
from attrs import asdict

from pypi.cli.running import configured, fail, show
from pypi.process.picture import Picture, folder_of

_HEADING = "worker  gen      pid state        memory connections       lag restarts"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def workers(context: click.Context, as_json: bool) -> None:
    """Print the state of every worker of the running service. Status 1 if none runs."""
    settings = configured(context)
    picture = Picture.read(folder_of(settings.service.data))
    if picture is None or not picture.is_of_the_living:
        fail(f"No service runs on {settings.service.data}.")
    show(asdict(picture), as_json=as_json, text=_table)


def _table(picture: dict[str, Any]) -> str:
    minutes = (time.time() - picture["started"]) / 60
    reloading = ", reloading" if picture["reloading"] else ""
    lines = [
        f"Process {picture['pid']}, up {minutes:.0f} min, generation {picture['generation']}{reloading}",
        _HEADING,
    ]
    lines.extend(_line(**state) for state in picture["workers"])
    return "\n".join(lines)


def _line(slot: int, generation: int, pid: int, state: str, **rest: Any) -> str:
    memory, lag = f"{rest['memory'] / (1 << 20):.1f} MB", f"{rest['lag'] * 1000:.1f} ms"
    return (
        f"{slot:>6} {generation:>4} {pid:>8} {state:9} {memory:>9} {rest['connections']:>11} {lag:>9} "
        f"{rest['restarts']}"
    )
