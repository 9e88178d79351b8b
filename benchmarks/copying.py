"""Rows into PostgreSQL by COPY: as text, in batches, with the indexes made afterwards."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from attrs import define, field

CONSTRAINTS = """
    SELECT c.conrelid::regclass::text, quote_ident(c.conname), pg_get_constraintdef(c.oid)
      FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
     WHERE n.nspname = current_schema() AND c.contype IN ('p', 'u', 'f')
       AND (c.conrelid::regclass::text = ANY(%(tables)s) OR c.confrelid::regclass::text = ANY(%(tables)s))
     ORDER BY array_position(ARRAY['p', 'u', 'f'], c.contype::text), c.conname"""

INDEXES = """
    SELECT quote_ident(indexname), indexdef FROM pg_indexes
     WHERE schemaname = current_schema() AND tablename = ANY(%(tables)s) ORDER BY indexname"""


@define
class Copying:
    """Collects rows of one table and copies them when asked.

    Attributes:
        columns: names, separated by commas; rows have their values in this order.
    """

    table: str
    columns: str
    _lines: list[str] = field(factory=list, init=False)

    def add(self, *values: object) -> None:
        """A row: texts without tabs, line ends and backslashes, ``None``, or what prints as SQL has it."""
        self._lines.append("\t".join("\\N" if value is None else str(value) for value in values))

    def send(self, cursor: Any) -> None:
        """Copy what was collected."""
        if self._lines:
            text = io.StringIO("\n".join(self._lines) + "\n")
            cursor.copy_expert(f"COPY {self.table} ({self.columns}) FROM STDIN", text)
            self._lines.clear()


@contextmanager
def without_indexes(cursor: Any, tables: Sequence[str]) -> Iterator[None]:
    """A block in which tables have no keys and indexes; they are made again, the same, at its end.

    All in the caller's transaction: if that fails, nothing has happened.
    """
    cursor.execute(CONSTRAINTS, {"tables": list(tables)})
    constraints = cursor.fetchall()
    for table, name, _ in reversed(constraints):
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    cursor.execute(INDEXES, {"tables": list(tables)})
    indexes = cursor.fetchall()
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    yield
    for table, name, definition in constraints:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    for _, definition in indexes:
        cursor.execute(definition)
