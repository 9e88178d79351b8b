"""``cheeseshop config``, ``doctor`` and ``migrate``: looking after the service."""

from __future__ import annotations

from typing import Any

import click
from attrs import frozen

from caching.varnish import vcl
from pypi.cli.running import application, configured, run, show
from pypi.config import Config, shown
from pypi.db.migrations import SchemaBehind
from pypi.foundations import Foundations


@click.group()
def config() -> None:
    """The configuration."""


@config.command("show")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def show_config(context: click.Context, as_json: bool) -> None:
    """Print every key with its effective value and where that came from; secrets are hidden."""
    lines = [
        {"key": key.dotted, "value": value, "origin": origin, "about": key.about, "variable": key.variable}
        for key, value, origin in shown(configured(context))
    ]
    show(lines, as_json=as_json, text=_settings)


@config.command("vcl")
def show_vcl() -> None:
    """Print the VCL for a Varnish before the index, to be included by the site's own."""
    click.echo(vcl(), nl=False)


def _settings(lines: list[dict[str, str]]) -> str:
    key_width = max(len(line["key"]) for line in lines)
    value_width = min(40, max(len(line["value"]) for line in lines))
    return "\n".join(
        f"{line['key']:{key_width}}  {line['value'] or '-':{value_width}}  ({line['origin']}) {line['about']}"
        for line in lines
    )


@click.command()
@click.pass_context
def migrate(context: click.Context) -> None:
    """Bring the database's schema up to this version of Cheeseshop. Safe to run at any time."""
    settings = configured(context)

    async def command(reactor: Any) -> None:
        foundations = Foundations(settings, reactor)
        await foundations.start(migrate=False)
        try:
            click.echo(await foundations.migrate())
        finally:
            await foundations.stop()

    run(command)


@frozen
class Finding:
    """What the doctor found out about one part."""

    part: str
    healthy: bool
    detail: str


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Check every connection, and print the lines clients need. Status 1 if something is wrong."""
    settings = configured(context)
    findings: list[Finding] = []

    async def command(reactor: Any) -> None:
        findings.extend(await _examine(settings, reactor))
        origin = settings.service.origin or f"http://{settings.service.interface}:{settings.service.port}"
        value = {
            "findings": [
                {"part": one.part, "healthy": one.healthy, "detail": one.detail} for one in findings
            ],
            "clients": _client_lines(origin),
        }
        show(value, as_json=as_json, text=_report)
        if not all(one.healthy for one in findings):
            raise SystemExit(1)

    run(command)


async def _examine(settings: Config, reactor: Any) -> list[Finding]:
    try:
        async with application(settings, reactor) as index:
            return [Finding(name, *await _try(probe)) for name, probe in index.probes.items()]
    except SchemaBehind as error:
        return [Finding("database", False, str(error))]
    except Exception as error:
        return [Finding("start", False, str(error))]


async def _try(probe: Any) -> tuple[bool, str]:
    try:
        answer = await probe()
    except Exception as error:
        return False, str(error) or type(error).__name__
    return True, "" if answer is None else str(answer)


def _client_lines(origin: str) -> dict[str, str]:
    return {
        "pip": f"pip install --index-url {origin}/simple/ PROJECT",
        "uv": f"uv pip install --index-url {origin}/simple/ PROJECT",
        "twine": f"twine upload --repository-url {origin}/legacy/ dist/*",
        "uv publish": f"uv publish --publish-url {origin}/legacy/",
    }


def _report(value: dict[str, Any]) -> str:
    checks = [_check(**one) for one in value["findings"]]
    lines = [f"  {line}" for line in value["clients"].values()]
    return "\n".join([*checks, "", "Lines for clients:", *lines])


def _check(part: str, healthy: bool, detail: str) -> str:
    return f"{'ok  ' if healthy else 'FAIL'}  {part}{detail and f': {detail}'}"
