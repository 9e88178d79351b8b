"""``cheeseshop yank``: taking bad releases out of the way of installers."""

from __future__ import annotations

from typing import Any

import click

from pypi.cli.heard import is_shown
from pypi.cli.running import application, configured, run, show
from pypi.domain.permissions import OPERATOR


@click.command()
@click.argument("project")
@click.argument("versions", nargs=-1, required=True, metavar="VERSION...")
@click.option("--reason", default="", help="For those who install it nevertheless; one line.")
@click.option("--undo", is_flag=True, help="Offer the releases again.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def yank(
    context: click.Context, project: str, versions: tuple[str, ...], reason: str, undo: bool, as_json: bool
) -> None:
    """Hide releases from installers that do not ask for exactly these versions (PEP 592).

    Their files stay. When the command ends, every worker of a service on this machine shows it.
    """
    config = configured(context)
    outcome: dict[str, Any] = {"project": project, "versions": list(versions), "yanked": not undo}

    async def command(reactor: Any) -> None:
        async with application(config, reactor) as index:
            if undo:
                outcome["serial"] = await index.yanks.unyank_all(OPERATOR, project, versions)
            else:
                outcome["serial"] = await index.yanks.yank_all(OPERATOR, project, versions, reason)

    run(command)
    outcome["shown"] = is_shown(config, outcome["serial"])
    show(outcome, as_json=as_json, text=_told)


def _told(outcome: dict[str, Any]) -> str:
    state = "yanked" if outcome["yanked"] else "offered"
    what = f"{outcome['project']} {', '.join(outcome['versions'])}"
    if outcome["serial"] is None:
        return f"{what} was {state} before."
    late = "" if outcome["shown"] else " Not every worker has heard of it yet."
    return f"{what} is {state}, by change {outcome['serial']}.{late}"
