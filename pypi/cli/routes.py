"""``cheeseshop routes``: what the index answers, and who may keep it how long."""

from __future__ import annotations

import json

import click

from pypi.front import routes as all_routes
from pypi.http.table import HEAD, markdown, rows


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def routes(as_json: bool) -> None:
    """Print every route with its cache policy, as the table in docs/caching.md."""
    if as_json:
        lines = [dict(zip(HEAD, row, strict=True)) for row in rows(all_routes())]
        click.echo(json.dumps(lines, indent=2, ensure_ascii=False))
    else:
        click.echo(markdown(all_routes()), nl=False)
