"""For tests of the pages by which people manage their projects."""

from __future__ import annotations

import re

from tests.support.archives import wheel, wheel_filename
from tests.support.index import OWNER, Index
from tests.support.visitor import give_password

CONTROL = re.compile(r'<(?:button|select|input type="(?:checkbox|radio|text)")[^>]*>')


async def released(index: Index, name: str, *versions: str, by: str = OWNER) -> None:
    """Publish a wheel of each version."""
    for version in versions:
        reply = await index.upload(
            wheel(name, version), wheel_filename(name, version), name=name, auth=index.auth(by)
        )
        assert reply.status == 200, reply.text


async def give(index: Index, name: str, user: str, role: str) -> None:
    """Give an account, which is made if need be, a role behind the index's back."""
    await give_password(index, user)
    index.sql(
        "INSERT INTO roles (project_id, user_id, role, created)"
        f" SELECT p.id, u.id, '{role}', now() FROM projects p, users u"
        f" WHERE p.normalized = '{name}' AND u.name = '{user}' RETURNING role"
    )


def take(index: Index, name: str, user: str) -> None:
    """Take the role away again."""
    index.sql(
        "DELETE FROM roles USING projects p, users u WHERE p.id = project_id AND u.id = user_id"
        f" AND p.normalized = '{name}' AND u.name = '{user}' RETURNING role"
    )


def roles(index: Index, name: str) -> dict[str, str]:
    """Who is what to a project."""
    return dict(
        index.sql(
            "SELECT u.name, r.role FROM roles r JOIN users u ON u.id = r.user_id"
            f" JOIN projects p ON p.id = r.project_id WHERE p.normalized = '{name}'"
        )
    )  # type: ignore[arg-type]


def yanked(index: Index, name: str) -> dict[str, str]:
    """The versions that are yanked, and why."""
    return dict(
        index.sql(
            "SELECT r.version, r.yanked_reason FROM releases r JOIN projects p ON p.id = r.project_id"
            f" WHERE p.normalized = '{name}' AND r.yanked IS NOT NULL"
        )
    )  # type: ignore[arg-type]


def last_event(index: Index, name: str) -> tuple[str, str, str]:
    """(event, actor, address) of the last line of the security log about a project."""
    [found] = index.sql(
        f"SELECT event, actor, address FROM audit WHERE normalized = '{name}' ORDER BY id DESC LIMIT 1"
    )
    return found[0], found[1], found[2]
