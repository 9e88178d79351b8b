"""The help of every command."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from pypi import __version__
from pypi.cli.main import main
from tests.support.service import Service


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The names that lead to every command, groups included."""
    yield path
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from commands(below, (*path, name))


@pytest.mark.parametrize("path", list(commands(main)), ids=" ".join)
def test_help(path: tuple[str, ...]) -> None:
    """Every command says what it is for, and so does each of its options."""
    shown = CliRunner().invoke(main, [*path, "--help"])
    assert shown.exit_code == 0
    assert shown.output.startswith(f"Usage: {' '.join(['main', *path])} ")
    assert shown.output.split("\n\n")[1].strip().endswith(".")
    options = shown.output.partition("Options:\n")[2].partition("\n\n")[0]
    for line in options.splitlines():
        assert len(line.split("  ", 2)[-1].strip()) > 5, line


def test_program_in_a_process(new_service: Service) -> None:
    """The installed program answers, without touching any data."""
    assert new_service.cheeseshop("--version").stdout == f"cheeseshop, version {__version__}\n"
    assert "No such command 'sereve'" in new_service.cheeseshop("sereve", status=2).stderr
    assert not new_service.data.exists()
