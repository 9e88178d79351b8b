"""Who reads projects that are not for everybody."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from pypi.db.connection import Cursor
from pypi.domain.permissions import Access, Role


@frozen
class PrivateRow:
    """A project that is not for everybody, with a name that leads to it, and one of its files.

    Attributes:
        blake2_256: of the file; ``None`` where it has none.
    """

    project_id: int
    normalized: str
    reads: str
    blake2_256: str | None


_PRIVATE = """
    SELECT p.id, n.normalized, p.reads, f.blake2_256
      FROM projects p JOIN project_names n ON n.project_id = p.id LEFT JOIN files f ON f.project_id = p.id
     WHERE p.reads <> 'public'"""

_SOME = """
       AND (p.id = ANY (%(ids)s)
            OR p.id IN (SELECT project_id FROM project_names WHERE normalized = ANY (%(names)s)))"""

ALL = _PRIVATE
SOME = _PRIVATE + _SOME

BY_FILE = """
    SELECT p.normalized FROM files f JOIN projects p ON p.id = f.project_id
     WHERE f.blake2_256 = %(digest)s AND p.reads <> 'public'"""

SAY = "UPDATE projects SET reads = %(reads)s WHERE id = %(id)s"

AMONG = """
    SELECT n.normalized FROM project_names n JOIN projects p ON p.id = n.project_id
     WHERE n.normalized = ANY (%(names)s) AND p.reads <> 'public'"""

ROLE = """
    SELECT r.role FROM users u LEFT JOIN roles r ON r.user_id = u.id AND r.project_id = %(project_id)s
     WHERE u.id = %(user_id)s AND u.is_active"""

IS_ABOUT = """
    SELECT EXISTS (SELECT FROM project_names WHERE project_id = %(project_id)s AND normalized = %(name)s)
        OR EXISTS (SELECT FROM files f WHERE f.project_id = %(project_id)s AND f.blake2_256 = %(digest)s)"""

REVEAL = "SET LOCAL cheeseshop.shows = 'private'; "
"""In front of questions of somebody who was found to be a reader of what they ask about: see ``is_shown``."""


async def private(cursor: Cursor) -> list[PrivateRow]:
    """Every project that is not for everybody: each of its names with each of its files."""
    return await cursor.rows(PrivateRow, ALL)


async def private_of(cursor: Cursor, names: Sequence[str], ids: Sequence[int]) -> list[PrivateRow]:
    """The same of those that have, or had, one of these normalized names, or have one of these ids."""
    return await cursor.rows(PrivateRow, SOME, {"names": list(names), "ids": list(ids)})


async def private_by_file(cursor: Cursor, blake2_256: str) -> str | None:
    """The normalized name of the project that has a file, if it is not for everybody; one statement."""
    found: str | None = await cursor.value(BY_FILE, {"digest": blake2_256})
    return found


async def say(cursor: Cursor, project_id: int, access: Access) -> None:
    """Say who reads a project from now on."""
    await cursor.run(SAY, {"id": project_id, "reads": access.value})


async def private_among(cursor: Cursor, names: Sequence[str]) -> frozenset[str]:
    """Those of these normalized names that lead to a project that is not for everybody."""
    return frozenset(name for (name,) in await cursor.tuples(AMONG, {"names": list(names)}))


async def role_of(cursor: Cursor, *, project_id: int, user_id: int) -> Role | None:
    """What an account that is in use is to a project; one statement."""
    role = await cursor.value(ROLE, {"project_id": project_id, "user_id": user_id})
    return None if role is None else Role(role)


async def is_about(cursor: Cursor, *, project_id: int, name: str, digest: str) -> bool:
    """Whether a normalized name, also a former one, or the digest of a file is a project's; one statement."""
    return bool(await cursor.value(IS_ABOUT, {"project_id": project_id, "name": name, "digest": digest}))
