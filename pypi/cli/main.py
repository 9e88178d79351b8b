"""``cheeseshop``: the command line."""

from __future__ import annotations

from pathlib import Path

import click

from pypi import __version__
from pypi.cli.accounts import token, user
from pypi.cli.imports import import_
from pypi.cli.legacy_usage import legacy_usage
from pypi.cli.operate import config, doctor, migrate
from pypi.cli.projects import project
from pypi.cli.purge import purge
from pypi.cli.replay import replay
from pypi.cli.routes import routes
from pypi.cli.serve import serve
from pypi.cli.withholding import COMMANDS as OF_PROJECTS
from pypi.cli.workers import workers
from pypi.cli.yank import yank


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="cheeseshop")
@click.option(
    "-c",
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="TOML file to read the configuration from; by default $CHEESESHOP_CONFIG.",
)
def main(config_file: Path | None) -> None:
    """A Python package index that an organisation runs for itself."""


COMMANDS = (
    *(serve, workers, migrate, user, token, import_, yank, purge, replay, legacy_usage, config, routes),
    *(doctor, project),
)

for command in COMMANDS:
    main.add_command(command)
for command in OF_PROJECTS:
    project.add_command(command)
