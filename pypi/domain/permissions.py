"""Who may do what: a pure function of what somebody is now, and of what they show of it.

Rights come from the roles that hold at this moment; whoever asks loads them anew each time, and a role that
has ended grants nothing. A token never adds to the rights of its account: it only leaves some out.
"""

from __future__ import annotations

from enum import Enum

from attrs import field, frozen


class Role(Enum):
    """What somebody is to a project."""

    OWNER = "Owner"
    MAINTAINER = "Maintainer"
    READER = "Reader"


class Permission(Enum):
    """What one may be allowed to do.

    ``READ``: see a project, its files and its pages. ``ENTER``: become somebody: sign in, register, ask for a
    new password. ``ACCOUNT``: see and change one's own account. ``CREATE``: begin a project. ``UPLOAD``: add
    files to a project. ``MANAGE``: change what is there: yank, archive, delete a release. ``OWN``: say who
    else may, give it away, rename it, delete it. ``ADMINISTER``: run the index.
    """

    READ = "read"
    ENTER = "enter"
    ACCOUNT = "account"
    CREATE = "create"
    UPLOAD = "upload"
    MANAGE = "manage"
    OWN = "own"
    ADMINISTER = "administer"

    @property
    def writes(self) -> bool:
        """Whether who has it may change anything."""
        return self is not Permission.READ


class Access(Enum):
    """Who reads a project: everybody, every account, or those with a role in it."""

    PUBLIC = "public"
    ACCOUNTS = "accounts"
    ROLES = "roles"


GRANTS = {
    Role.OWNER: frozenset({Permission.READ, Permission.UPLOAD, Permission.MANAGE, Permission.OWN}),
    Role.MAINTAINER: frozenset({Permission.READ, Permission.UPLOAD}),
    Role.READER: frozenset({Permission.READ}),
}

OF_ANYBODY = frozenset({Permission.ENTER})
"""What nobody has to be known for."""

OF_ACCOUNTS = frozenset({Permission.ACCOUNT, Permission.CREATE})
"""What every account may."""

OF_ADMINISTRATORS = frozenset({Permission.ADMINISTER, Permission.READ})
"""What an administrator may beside that; projects are still changed by their owners."""

NEVER_BY_TOKEN = frozenset({Permission.ACCOUNT, Permission.ADMINISTER})
"""What takes somebody who signed in: a token that leaked makes no further tokens."""


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
        is_read_only: whether the token is good for reading alone.
        is_admin: whether the account runs this index, with others.
    """

    user_id: int | None
    name: str
    token_id: str | None = None
    project_id: int | None = None
    is_read_only: bool = False
    is_admin: bool = False

    @property
    def is_operator(self) -> bool:
        """Whether it is whoever runs this index, rather than an account on it."""
        return self.user_id is None


OPERATOR = Identity(user_id=None, name="operator")


def stricter(one: Access, other: Access) -> Access:
    """Who reads a project, where the whole index and the project itself say so."""
    order = list(Access)
    return max(one, other, key=order.index)


def rights(
    identity: Identity | None, *, role: Role | None = None, access: Access = Access.PUBLIC
) -> frozenset[Permission]:
    """All that somebody may do to a project, or, without a role, to the index.

    Args:
        identity: who proved to be there; ``None`` for nobody known.
        role: what they are to the project now.
        access: who reads it, by ``stricter``.
    """
    public = frozenset({Permission.READ}) if access is Access.PUBLIC else frozenset()
    if identity is None:
        return OF_ANYBODY | public
    if identity.is_operator:
        return frozenset(Permission)
    found = OF_ANYBODY | OF_ACCOUNTS | public
    if access is Access.ACCOUNTS:
        found |= {Permission.READ}
    if role is not None:
        found |= GRANTS[role]
    return found | OF_ADMINISTRATORS if identity.is_admin else found


def in_scope(identity: Identity, permission: Permission, *, project_id: int | None = None) -> bool:
    """Whether what somebody shows is good for a permission that their account may have.

    Args:
        project_id: of the project it is about; ``None`` where it is about none, or about one yet to begin.
    """
    if identity.token_id is None:
        return True
    if permission in NEVER_BY_TOKEN or (identity.is_read_only and permission.writes):
        return False
    return identity.project_id is None or identity.project_id == project_id


def may(
    identity: Identity | None,
    permission: Permission,
    *,
    project_id: int | None = None,
    role: Role | None = None,
    access: Access = Access.PUBLIC,
) -> bool:
    """Whether somebody may do this: their account may, and what they show is good for it.

    What is open to everybody is open to any token, too.
    """
    if permission in rights(None, access=access):
        return True
    if identity is None or permission not in rights(identity, role=role, access=access):
        return False
    return in_scope(identity, permission, project_id=project_id)
