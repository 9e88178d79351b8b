"""Databases for tests: each one new, copied from a template that was migrated once."""

from __future__ import annotations

import itertools
import os
import re

import psycopg2
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT

from pypi.db.migrations import apply

_numbers = itertools.count(1)


class Databases:
    """Makes and drops databases on one server.

    Args:
        url: of any database of the server, as ``postgresql://…/name?host=…``.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._template = f"template_{os.getpid()}"
        self._administer(f"DROP DATABASE IF EXISTS {self._template}")
        self._administer(f"CREATE DATABASE {self._template}")
        apply(self.named(self._template))

    def named(self, name: str) -> str:
        """The URL of another database on the server."""
        return re.sub(r"(postgresql://[^/]*/)[^?]*", rf"\g<1>{name}", self._url)

    def make(self, *, migrated: bool = True) -> str:
        """A new database's URL."""
        name = f"test_{os.getpid()}_{next(_numbers)}"
        template = f" TEMPLATE {self._template}" if migrated else ""
        self._administer(f"CREATE DATABASE {name}{template}")
        return self.named(name)

    def drop(self, url: str) -> None:
        """Remove a database and whoever is connected to it."""
        name = re.sub(r"postgresql://[^/]*/([^?]*).*", r"\1", url)
        self._administer(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _administer(self, sql: str) -> None:
        connection = psycopg2.connect(self.named("postgres"))
        try:
            connection.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
            connection.cursor().execute(sql)
        finally:
            connection.close()


def ask(url: str, sql: str) -> list[tuple[object, ...]]:
    """The rows of one query, by a connection of its own; ``[]`` for a statement without rows."""
    with psycopg2.connect(url) as connection:
        cursor = connection.cursor()
        cursor.execute(sql)
        rows = cursor.fetchall() if cursor.description else []
    connection.close()
    return rows
