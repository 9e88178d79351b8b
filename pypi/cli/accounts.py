"""``cheeseshop user`` and ``cheeseshop token``."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

import attrs
import click

from pypi.accounts.administration import LONGEST_REASON, Act
from pypi.accounts.issued import reach
from pypi.cli.running import application, configured, fail, run, show
from pypi.db.queries.tokens import TokenLine
from pypi.db.queries.users import UserLine
from pypi.domain.permissions import OPERATOR


@click.group()
def user() -> None:
    """Accounts of this index."""


@user.command("add")
@click.argument("name")
@click.option("--email", required=True, help="The account's e-mail address.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--admin", is_flag=True, help="The account may operate this index.")
@click.pass_context
def add_user(context: click.Context, name: str, email: str, password_stdin: bool, admin: bool) -> None:
    """Make an account.

    The password is asked for on a terminal, or read from standard input; an empty one makes an account
    that can only use API tokens.
    """
    config = configured(context)
    password = _password(password_stdin)

    async def command(reactor: Any) -> None:
        async with application(config, reactor) as index:
            await index.accounts.add_user(name, email=email, password=password, is_admin=admin)
        click.echo(f"Added {name}.", err=True)

    run(command)


def _password(from_stdin: bool) -> str | None:
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            fail("standard input holds no password", status=2)
        return password
    if not sys.stdin.isatty():
        return None
    return (
        click.prompt(
            "Password (empty for none)",
            default="",
            show_default=False,
            hide_input=True,
            confirmation_prompt=True,
        )
        or None
    )


@user.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def list_users(context: click.Context, as_json: bool) -> None:
    """List all accounts."""
    config = configured(context)

    async def command(reactor: Any) -> None:
        async with application(config, reactor) as index:
            lines = await index.accounts.everybody()
        show([attrs.asdict(line) for line in lines], as_json=as_json, text=lambda _: _table(lines))

    run(command)


def _table(lines: list[UserLine]) -> str:
    if not lines:
        return "There are no accounts yet: `cheeseshop user add NAME --email ADDRESS` makes one."
    width = max(len(line.name) for line in lines)
    return "\n".join(
        f"{line.name:{width}}  {line.email or '-'}  {line.projects} projects, since {line.created:%Y-%m-%d}"
        f"{', admin' if line.is_admin else ''}{'' if line.is_active else ', inactive'}"
        for line in lines
    )


@user.command("remove-factors")
@click.argument("name")
@click.option("--reason", default="", metavar="TEXT", help="Why, for the security log.")
@click.pass_context
def remove_factors(context: click.Context, name: str, reason: str) -> None:
    """Remove all second factors of the account NAME, for somebody who has lost them.

    Be sure that it is them: from then on the password alone signs in. They are signed out everywhere, and
    told by mail.
    """
    config = configured(context)

    async def command(reactor: Any) -> None:
        async with application(config, reactor) as index:
            act = Act(by=OPERATOR, name=name, reason=reason.strip()[:LONGEST_REASON])
            await index.members.administration.remove_factors(act)
        click.echo(f"Removed all second factors of {name}.", err=True)

    run(command)


@click.group()
def token() -> None:
    """API tokens, for uploads and for programs."""


@token.command("create")
@click.argument("name")
@click.option("--project", help="The only project the token shall be good for; it must exist.")
@click.option("--expires", type=click.IntRange(1, 36500), metavar="DAYS", help="Days until it expires.")
@click.option("--description", default="", help="What it is for, in at most 100 characters.")
@click.option("--read-only", is_flag=True, help="It shall be good for reading alone.")
@click.pass_context
def create_token(
    context: click.Context,
    name: str,
    project: str | None,
    expires: int | None,
    description: str,
    read_only: bool,
) -> None:
    """Make an API token for the account NAME and print it, alone, on stdout. It is never shown again."""
    config = configured(context)

    async def command(reactor: Any) -> None:
        async with application(config, reactor) as index:
            made = await index.accounts.add_token(
                name,
                project=project,
                lifetime=None if expires is None else timedelta(days=expires),
                description=description,
                is_read_only=read_only,
            )
        click.echo(made)

    run(command)


@token.command("list")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def list_tokens(context: click.Context, name: str, as_json: bool) -> None:
    """List the tokens of the account NAME: their ids, and never the tokens."""
    config = configured(context)

    async def command(reactor: Any) -> None:
        async with application(config, reactor) as index:
            owner = await index.accounts.named(name)
            assert owner.user_id is not None
            lines = await index.members.tokens.of_user(owner.user_id)
        show([attrs.asdict(line) for line in lines], as_json=as_json, text=lambda _: _tokens(lines, name))

    run(command)


def _tokens(lines: list[TokenLine], name: str) -> str:
    if not lines:
        return f"{name} has no tokens."
    return "\n".join(
        f"{line.id}  may {reach(line.project, is_read_only=line.is_read_only)}, "
        f"since {line.created:%Y-%m-%d}"
        f"{f', until {line.expires:%Y-%m-%d}' if line.expires else ''}"
        f"{f', last used {line.last_used:%Y-%m-%d}' if line.last_used else ', never used'}"
        f"{f': {line.description}' if line.description else ''}"
        for line in lines
    )


@token.command("revoke")
@click.argument("token_id", metavar="ID")
@click.pass_context
def revoke_token(context: click.Context, token_id: str) -> None:
    """Revoke the token of that ID, as `cheeseshop token list` and the security log call it."""
    config = configured(context)

    async def command(reactor: Any) -> None:
        async with application(config, reactor) as index:
            await index.members.tokens.revoke(OPERATOR, token_id)
        click.echo(f"Revoked {token_id}.", err=True)

    run(command)
