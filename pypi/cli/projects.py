"""``cheeseshop project``: what the operator does to whole projects, in the place of their owners."""

from __future__ import annotations

from typing import Any

import click

from pypi.cli.heard import is_shown
from pypi.cli.running import application, configured, run, show
from pypi.domain.permissions import OPERATOR, Access


@click.group()
def project() -> None:
    """Projects and names: quarantine, prohibit, rename, hide, give to somebody else, look back."""


@project.command()
@click.argument("name")
@click.argument("new_name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def rename(context: click.Context, name: str, new_name: str, as_json: bool) -> None:
    """Call a project otherwise; its owners are told by mail.

    Files that are there stay installable by the old name, which leads to the new one everywhere else and is
    never given to anybody else. When the command ends, every worker of a service on this machine shows it.
    """
    config = configured(context)
    outcome: dict[str, Any] = {"project": name, "new_name": new_name}

    async def command(reactor: Any) -> None:
        async with application(config, reactor) as index:
            outcome["serial"] = await index.renaming.rename(OPERATOR, name, new_name)

    run(command)
    outcome["shown"] = is_shown(config, outcome["serial"])
    show(outcome, as_json=as_json, text=_renamed)


@project.command()
@click.argument("name")
@click.argument("user")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def transfer(context: click.Context, name: str, user: str, as_json: bool) -> None:
    """Offer a project to an account, in the place of all its owners.

    Nothing changes until the offer is accepted, which is possible for a week. Then that account is the only
    owner; all of them are told by mail.
    """
    outcome = {"project": name, "user": user}

    async def command(reactor: Any) -> None:
        async with application(configured(context), reactor) as index:
            await index.roles.transfer(OPERATOR, name, user)

    run(command)
    show(outcome, as_json=as_json, text=_offered)


@project.command()
@click.argument("name")
@click.argument("who", type=click.Choice([one.value for one in Access]))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def reads(context: click.Context, name: str, who: str, as_json: bool) -> None:
    """Say who reads a project: everybody who reads the index, every account, or those with a role in it.

    To all others it is not there, and no list has it. When the command ends, every worker of a service on
    this machine has heard of it; what stands before the index is purged for good.
    """
    config = configured(context)
    outcome: dict[str, Any] = {"project": name, "reads": who}

    async def command(reactor: Any) -> None:
        async with application(config, reactor) as index:
            outcome["serial"] = await index.reads.change(OPERATOR, name, Access(who))

    run(command)
    outcome["shown"] = is_shown(config, outcome["serial"])
    show(outcome, as_json=as_json, text=_read)


def _read(outcome: dict[str, Any]) -> str:
    who = {
        "public": "everybody who reads the index",
        "accounts": "every account",
        "roles": "those with a role",
    }
    said = f"{outcome['project']} is read by {who[outcome['reads']]}"
    if outcome["serial"] is None:
        return f"{said}, as before."
    late = "" if outcome["shown"] else " Not every worker has heard of it yet."
    return f"{said}, by change {outcome['serial']}.{late}"


def _renamed(outcome: dict[str, Any]) -> str:
    if outcome["serial"] is None:
        return f"{outcome['new_name']} was called so before."
    late = "" if outcome["shown"] else " Not every worker has heard of it yet."
    return f"{outcome['project']} is called {outcome['new_name']}, by change {outcome['serial']}.{late}"


def _offered(outcome: dict[str, Any]) -> str:
    return f"{outcome['project']} is offered to {outcome['user']}, who has a week to accept it."
