"""Permissions: what each role comes with."""

from __future__ import annotations

import pytest

from pypi.domain.permissions import GRANTS, OPERATOR, Credentials, Identity, Permission, Role, is_granted


@pytest.mark.parametrize(
    ("role", "permission", "expected"),
    [
        (Role.OWNER, Permission.UPLOAD, True),
        (Role.OWNER, Permission.MANAGE, True),
        (Role.MAINTAINER, Permission.UPLOAD, True),
        (Role.MAINTAINER, Permission.MANAGE, False),
        (None, Permission.UPLOAD, False),
        (None, Permission.MANAGE, False),
    ],
)
def test_grants(role: Role | None, permission: Permission, expected: bool) -> None:
    """Owners do everything, maintainers upload, others nothing."""
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
