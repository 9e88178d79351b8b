"""``cheeseshop project``, further: what is not offered, names nobody may take, and what has happened."""

from __future__ import annotations

from typing import Any

import attrs
import click

from pypi.cli.heard import is_shown
from pypi.cli.running import application, configured, run, show
from pypi.domain.permissions import OPERATOR
from pypi.publishing.kept_names import NotKept

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command()
@click.argument("name")
@click.argument("version", required=False)
@click.option("--reason", default="", help="For everybody who asks for it; one line.")
@as_json
@click.pass_context
def quarantine(context: click.Context, name: str, version: str | None, reason: str, as_json: bool) -> None:
    """Offer nothing of a project, or of one VERSION, until it was looked into.

    Nothing is deleted. Those who look after the project are told. When the command ends, every worker of a
    service on this machine has heard of it; what stands before the index is purged for good.
    """
    _change(context, name, version, as_json, reason=reason, held_back=True)


@click.command()
@click.argument("name")
@click.argument("version", required=False)
@as_json
@click.pass_context
def clear(context: click.Context, name: str, version: str | None, as_json: bool) -> None:
    """Let a project, or one VERSION, out of quarantine; it is what it was before."""
    _change(context, name, version, as_json, reason="", held_back=False)


def _change(
    context: click.Context, name: str, version: str | None, as_json: bool, *, reason: str, held_back: bool
) -> None:
    config = configured(context)
    outcome: dict[str, Any] = {"project": name, "version": version, "quarantined": held_back}

    async def command(reactor: Any) -> None:
        async with application(config, reactor) as index:
            if held_back:
                outcome["serial"] = await index.quarantines.begin(OPERATOR, name, version, reason)
            else:
                outcome["serial"] = await index.quarantines.clear(OPERATOR, name, version)

    run(command)
    outcome["shown"] = is_shown(config, outcome["serial"])
    show(outcome, as_json=as_json, text=_changed)


def _changed(outcome: dict[str, Any]) -> str:
    what = " ".join(filter(None, (outcome["project"], outcome["version"])))
    state = "in quarantine" if outcome["quarantined"] else "out of quarantine"
    if outcome["serial"] is None:
        return f"{what} was {state} before."
    late = "" if outcome["shown"] else " Not every worker has heard of it yet."
    return f"{what} is {state}, by change {outcome['serial']}.{late}"


@click.command()
@click.argument("name")
@click.option("--reason", default="", help="For those who run the index; one line.")
@as_json
@click.pass_context
def prohibit(context: click.Context, name: str, reason: str, as_json: bool) -> None:
    """Let nobody begin a project of that NAME, in any spelling; one that is there stays."""
    config = configured(context)
    outcome: dict[str, Any] = {"name": name}

    async def command(reactor: Any) -> None:
        async with application(config, reactor) as index:
            outcome["new"] = await index.kept_names.prohibit(OPERATOR, name, reason)

    run(command)
    show(outcome, as_json=as_json, text=lambda _: f"Nobody may take the name {name}.")


@click.command()
@click.argument("name")
@as_json
@click.pass_context
def allow(context: click.Context, name: str, as_json: bool) -> None:
    """Let the NAME be taken again, whether it was prohibited or is kept for owners of a deleted project."""
    config = configured(context)
    outcome: dict[str, Any] = {"name": name, "kept": True}

    async def command(reactor: Any) -> None:
        async with application(config, reactor) as index:
            outcome["prohibited"] = await index.kept_names.allow(OPERATOR, name)
            try:
                await index.kept_names.free(OPERATOR, name)
            except NotKept:
                outcome["kept"] = False

    run(command)
    show(outcome, as_json=as_json, text=_allowed)


def _allowed(outcome: dict[str, Any]) -> str:
    if not (outcome["prohibited"] or outcome["kept"]):
        return f"The name {outcome['name']} was neither prohibited nor kept."
    return f"The name {outcome['name']} may be taken; filenames that were used stay used."


@click.command()
@click.argument("name")
@click.argument("user")
@as_json
@click.pass_context
def restore(context: click.Context, name: str, user: str, as_json: bool) -> None:
    """Let the account USER take the NAME of a project that was deleted; used filenames stay used."""
    config = configured(context)

    async def command(reactor: Any) -> None:
        async with application(config, reactor) as index:
            await index.kept_names.restore(OPERATOR, name, user)

    run(command)
    show({"name": name, "user": user}, as_json=as_json, text=lambda _: f"{user} may take the name {name}.")


@click.command()
@as_json
@click.pass_context
def prohibited(context: click.Context, as_json: bool) -> None:
    """List the names that nobody may take, with who prohibited them, when, and why."""
    config = configured(context)
    lines: list[dict[str, Any]] = []

    async def command(reactor: Any) -> None:
        async with application(config, reactor) as index:
            while page := await index.kept_names.prohibited(after=lines[-1]["normalized"] if lines else ""):
                lines.extend(map(attrs.asdict, page))

    run(command)
    show(lines, as_json=as_json, text=_names)


def _names(lines: list[dict[str, Any]]) -> str:
    return "\n".join(map(_name, lines)) or "No name is prohibited."


def _name(line: dict[str, Any]) -> str:
    by = f" by {line['actor']}" if line["actor"] else ""
    used = ", though a project has it" if line["is_used"] else ""
    reason = f": {line['reason']}" if line["reason"] else ""
    return f"{line['normalized']}  since {line['created']:%Y-%m-%d}{by}{used}{reason}"


@click.command()
@click.argument("name")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True, help="Lines at most.")
@as_json
@click.pass_context
def history(context: click.Context, name: str, limit: int, as_json: bool) -> None:
    """Print what happened to a project, newest first: who did it, when, and from where."""
    config = configured(context)
    entries: list[dict[str, Any]] = []

    async def command(reactor: Any) -> None:
        async with application(config, reactor) as index:
            page = await index.past.of_project(name, limit=limit, for_operators=True)
            entries.extend(map(attrs.asdict, page.entries))

    run(command)
    show(entries, as_json=as_json, text=lambda _: "\n".join(map(_entry, entries)))


def _entry(entry: dict[str, Any]) -> str:
    where = f"  [{entry['address']}]" if entry["address"] else ""
    return f"{entry['at']:%Y-%m-%d %H:%M:%S}  {entry['actor'] or '-'} {entry['words']}{where}"


COMMANDS = (quarantine, clear, prohibit, allow, restore, prohibited, history)
"""For the group ``project``."""
