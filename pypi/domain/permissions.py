"""Who may do what to a project: a pure function of the roles that hold now."""

from __future__ import annotations

from enum import Enum

from attrs import field, frozen


class Role(Enum):
    """What somebody is to a project."""

    OWNER = "Owner"
    MAINTAINER = "Maintainer"


class Permission(Enum):
    """What one may be allowed to do to a project."""

    UPLOAD = "upload"
    MANAGE = "manage"


GRANTS = {
    Role.OWNER: frozenset({Permission.UPLOAD, Permission.MANAGE}),
    Role.MAINTAINER: frozenset({Permission.UPLOAD}),
}


def is_granted(role: Role | None, permission: Permission) -> bool:
    """Whether a role, or having none, comes with a permission."""
    return role is not None and permission in GRANTS[role]


TOKEN_USER = "__token__"  # noqa: S105  # the word clients send in place of a user name


@frozen
class Credentials:
    """What somebody says to prove who they are: a name and a password, or ``__token__`` and a token."""

    name: str
    password: str = field(repr=False)


@frozen(kw_only=True)
class Identity:
    """Somebody who proved who they are.

    Attributes:
        user_id: the account; ``None`` for the operator at the command line, who needs no role.
        name: the account's name.
        token_id: the API token used, ``None`` for a password.
        project_id: the only project the token is good for, ``None`` for all of the account's.
    """

    user_id: int | None
    name: str
    token_id: str | None = None
    project_id: int | None = None

    @property
    def is_operator(self) -> bool:
        """Whether it is whoever runs this index, rather than an account on it."""
        return self.user_id is None


OPERATOR = Identity(user_id=None, name="operator")
