"""For tests of what owners do to their projects."""

from __future__ import annotations

from typing import Any

from pypi.domain.permissions import Identity
from tests.support.index import Index
from tests.support.invariants import NAMES_ASTRAY


def identity(index: Index, name: str, **more: Any) -> Identity:
    """An account, as one who showed a password."""
    [(number,)] = index.sql(f"SELECT id FROM users WHERE name = '{name}'")
    return Identity(user_id=number, name=name, **more)


def token_of(index: Index, name: str) -> str:
    """The id of a token that an account has."""
    [(token,)] = index.sql(
        f"SELECT min(t.id) FROM tokens t JOIN users u ON u.id = t.user_id WHERE u.name = '{name}'"
    )
    return str(token)


def held(index: Index) -> list[tuple[object, ...]]:
    """Who has which role."""
    return index.sql("SELECT name, role FROM roles JOIN users ON id = user_id ORDER BY lower(name)")


def check(index: Index) -> None:
    """What holds after every change: no gaps in the journal, searches as meant, no strays in the store."""
    [(count, last)] = index.sql("SELECT count(*), max(serial) FROM journal")
    assert count == last
    differing = index.sql(
        "SELECT s.normalized, d.normalized FROM search s FULL JOIN search_documents d USING (project_id) "
        "WHERE to_jsonb(s) IS DISTINCT FROM to_jsonb(d)"
    )
    differing += index.sql(
        "SELECT d.normalized, m.normalized FROM dependencies d FULL JOIN dependencies_meant m "
        "USING (project_id, normalized) WHERE to_jsonb(d) IS DISTINCT FROM to_jsonb(m)"
    )
    differing += index.sql(
        "SELECT f.normalized, d.normalized FROM findable f FULL JOIN search d USING (project_id) "
        "WHERE f.project_id IS NULL OR d.project_id IS NULL"
    )
    assert differing == []
    assert index.sql("SELECT filename FROM files EXCEPT SELECT filename FROM filenames") == []
    stale = index.sql(
        "SELECT p.name FROM projects p WHERE last_serial <> "
        "(SELECT max(serial) FROM journal j WHERE j.normalized = p.normalized)"
    )
    assert stale == []
    assert index.sql(NAMES_ASTRAY) == []
    stale = index.sql(
        "SELECT f.name FROM former_names f WHERE project_id IS NOT NULL AND last_serial <> "
        "(SELECT max(serial) FROM journal j WHERE j.normalized = f.normalized)"
    )
    assert stale == []
    listed = {f"{one[:2]}/{one[2:4]}/{one[4:]}" for (one,) in index.sql("SELECT blake2_256 FROM files")}
    stored = {path.rpartition("/")[0] for path, kind in index.state().files.items() if kind != "folder"}
    assert listed == stored, "the store has what is listed, and nothing else"


def letters_to(index: Index, address: str) -> list[dict[str, Any]]:
    """What waits to be sent to an address: the outbox's rows, oldest first."""
    rows = index.sql("SELECT payload FROM outbox WHERE kind = 'mail' ORDER BY id")
    return [payload for (payload,) in rows if payload["to"] == address]
