"""Permissions: what each role comes with."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from pypi.domain.permissions import (
    GRANTS,
    OPERATOR,
    Access,
    Credentials,
    Identity,
    Permission,
    Role,
    is_granted,
    may,
    rights,
    stricter,
)

ADA = Identity(user_id=1, name="ada")
PROJECT, OTHER = 7, 8

permissions = st.sampled_from(Permission)
roles = st.none() | st.sampled_from(Role)
accesses = st.sampled_from(Access)
accounts = st.builds(Identity, user_id=st.integers(1, 3), name=st.just("ada"), is_admin=st.booleans())


@pytest.mark.parametrize(
    ("role", "permission", "expected"),
    [
        (Role.OWNER, Permission.UPLOAD, True),
        (Role.OWNER, Permission.MANAGE, True),
        (Role.MAINTAINER, Permission.UPLOAD, True),
        (Role.MAINTAINER, Permission.MANAGE, False),
        (Role.OWNER, Permission.OWN, True),
        (Role.MAINTAINER, Permission.OWN, False),
        (Role.READER, Permission.READ, True),
        (Role.READER, Permission.UPLOAD, False),
        (Role.OWNER, Permission.ADMINISTER, False),
        (None, Permission.UPLOAD, False),
        (None, Permission.MANAGE, False),
    ],
)
def test_grants(role: Role | None, permission: Permission, expected: bool) -> None:
    """Owners do everything to a project, maintainers upload, readers read, others nothing."""
    assert is_granted(role, permission) is expected


def test_every_role_is_listed() -> None:
    """A role that is added has to say what it comes with."""
    assert set(GRANTS) == set(Role)


def test_operator() -> None:
    """Whoever has no account is the operator; an account never is, whatever its name."""
    assert OPERATOR.is_operator
    assert not Identity(user_id=1, name="operator").is_operator


def test_secrets_are_not_shown() -> None:
    """Credentials in a log show no secret."""
    assert "hunter2" not in repr(Credentials("ada", "hunter2"))


@pytest.mark.parametrize(
    ("access", "nobody", "stranger", "reader"),
    [
        (Access.PUBLIC, True, True, True),
        (Access.ACCOUNTS, False, True, True),
        (Access.ROLES, False, False, True),
    ],
)
def test_who_reads(access: Access, nobody: bool, stranger: bool, reader: bool) -> None:
    """A project is read by everybody, by every account, or by those with a role in it."""
    assert may(None, Permission.READ, access=access) is nobody
    assert may(ADA, Permission.READ, access=access) is stranger
    assert may(ADA, Permission.READ, access=access, role=Role.READER) is reader


@given(accesses, accesses)
def test_the_stricter_holds(one: Access, other: Access) -> None:
    """A project is never more open than its index, nor an index than its project."""
    both = stricter(one, other)
    assert both in (one, other)
    assert both is stricter(other, one)
    for identity in (None, ADA):
        assert rights(identity, access=both) <= rights(identity, access=one)


@given(accesses)
def test_nobody_known(access: Access) -> None:
    """Who is not known may read what is public, and sign in."""
    assert rights(None, access=access) <= {Permission.READ, Permission.ENTER}


@given(accounts, accesses)
def test_a_role_that_ended(account: Identity, access: Access) -> None:
    """Without a role nobody with an account changes a project, not even an administrator."""
    found = rights(account, role=None, access=access)
    assert not found & {Permission.UPLOAD, Permission.MANAGE, Permission.OWN}


@given(accounts, roles, accesses)
def test_administrators(account: Identity, role: Role | None, access: Access) -> None:
    """Only an administrator administers, whatever role one has in a project; and reads everything."""
    assert may(account, Permission.ADMINISTER, role=role, access=access) is account.is_admin
    assert may(account, Permission.READ, access=access) or not account.is_admin


@given(accounts, roles, accesses, permissions, st.none() | st.just(PROJECT), st.booleans())
def test_tokens_leave_out(
    account: Identity,
    role: Role | None,
    access: Access,
    permission: Permission,
    project_id: int | None,
    is_read_only: bool,
) -> None:
    """A token is never good for more than its account."""
    token = evolve(account, token_id="0" * 16, project_id=project_id, is_read_only=is_read_only)
    if may(token, permission, project_id=PROJECT, role=role, access=access):
        assert may(account, permission, project_id=PROJECT, role=role, access=access)


@given(accounts, permissions, accesses)
def test_read_only_tokens(account: Identity, permission: Permission, access: Access) -> None:
    """A token for reading changes nothing, whoever made it."""
    token = evolve(account, token_id="0" * 16, is_read_only=True)
    if permission.writes and permission is not Permission.ENTER:
        assert not may(token, permission, project_id=PROJECT, role=Role.OWNER, access=access)
    assert may(token, Permission.READ, project_id=PROJECT, role=Role.OWNER, access=access)


@given(accounts, permissions, st.none() | st.just(OTHER))
def test_tokens_of_a_project(account: Identity, permission: Permission, about: int | None) -> None:
    """The token of a project is good for nothing else: no other project, no new one, not the account."""
    token = evolve(account, token_id="0" * 16, project_id=PROJECT)
    allowed = may(token, permission, project_id=about, role=Role.OWNER, access=Access.ACCOUNTS)
    assert allowed is (permission is Permission.ENTER)
    assert may(token, Permission.UPLOAD, project_id=PROJECT, role=Role.OWNER)


@given(accounts, roles)
def test_tokens_make_no_tokens(account: Identity, role: Role | None) -> None:
    """No token changes its account, or runs the index."""
    token = evolve(account, token_id="0" * 16)
    assert not may(token, Permission.ACCOUNT, role=role)
    assert not may(token, Permission.ADMINISTER, role=role)
    assert may(account, Permission.ACCOUNT, role=role)


@given(permissions, roles, accesses)
def test_the_operator_may(permission: Permission, role: Role | None, access: Access) -> None:
    """Who runs the index at its command line needs no role."""
    assert may(OPERATOR, permission, project_id=PROJECT, role=role, access=access)
