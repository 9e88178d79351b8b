"""A program that asks the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from tests.support.archives import wheel, wheel_filename
from tests.support.client import Reply
from tests.support.index import OWNER, Index, with_token

JSON = "application/json"

ACTS: Mapping[str, Mapping[str, Any]] = {
    "yank": {"versions": ["1.0"]},
    "unyank": {"versions": ["1.0"]},
    "delete-release": {"version": "1.0", "confirm": "NAME"},
    "delete-file": {"filename": "FILE", "confirm": "NAME"},
    "archive": {},
    "deprecate": {"reason": "old"},
    "activate": {},
    "rename": {"new_name": "NAME-new"},
    "set-reads": {"reads": "accounts"},
    "delete": {"confirm": "NAME"},
    "invite": {"user": "eve", "role": "Maintainer"},
    "transfer": {"user": "eve"},
    "withdraw": {"user": "eve"},
    "change-role": {"user": "bob", "role": "Owner"},
    "remove-role": {"user": "bob"},
}
"""Each act, with a body that would do something to ``project`` below."""


def body_of(verb: str, name: str) -> dict[str, Any]:
    """A body for an act, on a project of a name."""
    text = orjson.dumps(ACTS[verb]).decode()
    found = orjson.loads(text.replace("NAME", name).replace("FILE", wheel_filename(name, "1.0")))
    assert isinstance(found, dict)
    return found


async def call(
    index: Index,
    name: str,
    verb: str,
    body: object = None,
    *,
    auth: str | None = "",
    raw: bytes | None = None,
    content_type: str | None = JSON,
) -> Reply:
    """An act, as the owner unless another Authorization header is given, or ``None``."""
    data = raw if raw is not None else (b"" if body is None else orjson.dumps(body))
    headers = {
        "Content-Type": content_type if data else None,
        "Authorization": index.auth() if auth == "" else auth,
    }
    return await index.ask(f"/api/projects/{name}/{verb}", headers, method="POST", body=data)


async def project(index: Index, name: str, *versions: str) -> None:
    """A project of ``OWNER`` with releases, in which bob is a maintainer; the accounts are there."""
    for version in versions or ("1.0",):
        reply = await index.upload(wheel(name, version), wheel_filename(name, version))
        assert reply.status == 200, reply.text
    index.sql(
        "INSERT INTO roles (project_id, user_id, role, created) SELECT p.id, u.id, 'Maintainer', now() "
        f"FROM projects p, users u WHERE p.name = '{name}' AND u.name = 'bob' RETURNING role"
    )


async def people(index: Index) -> None:
    """Accounts that are nothing to a new project."""
    for name in ("bob", "eve"):
        await index.add_user(name)


async def scoped(index: Index, name: str, *, read_only: bool = False, user: str = OWNER) -> str:
    """The Authorization header of a token that is good for one project."""
    token = await index.application.accounts.add_token(user, project=name)
    if read_only:
        index.sql(f"UPDATE tokens SET is_read_only = true WHERE id = '{token.split('-')[1]}' RETURNING id")
    return with_token(token)
