"""``cheeseshop routes``: what the index answers, to whom, and who may keep it how long."""

from __future__ import annotations

import json

import click

from pypi.front import routes as all_routes
from pypi.http.table import HEAD, TERMS_HEAD, markdown, rows, terms_markdown, terms_rows


@click.command()
@click.option("--caches", is_flag=True, help="Print how answers are kept, as docs/caching.md has it.")
@click.option("--json", "as_json", is_flag=True, help="Print both in JSON.")
def routes(caches: bool, as_json: bool) -> None:
    """Print every route and who may ask it, as the table in docs/routes.md."""
    if as_json:
        both = zip(terms_rows(all_routes()), rows(all_routes()), strict=True)
        lines = [dict(zip((*TERMS_HEAD, *HEAD), (*one, *other), strict=True)) for one, other in both]
        click.echo(json.dumps(lines, indent=2, ensure_ascii=False))
    else:
        click.echo((markdown if caches else terms_markdown)(all_routes()), nl=False)
