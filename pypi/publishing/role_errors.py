"""Why somebody is not given a role, or does not lose one."""

from __future__ import annotations

from attrs import frozen

from pypi.domain.errors import Conflict, Forbidden, NotFound, TooMany

DAY = 24 * 3600
"""Seconds."""


@frozen
class NoSuchUser(NotFound):
    """No account of that name."""

    name: str

    def __str__(self) -> str:
        return f"There is no user named {self.name!r} on this index."


@frozen
class NoRole(NotFound):
    """The account has no role in the project."""

    user: str
    project: str

    def __str__(self) -> str:
        return f"The user {self.user!r} has no role in project {self.project!r}."


@frozen
class HasRole(Conflict):
    """The account has a role already."""

    user: str
    role: str

    def __str__(self) -> str:
        return f"The user {self.user!r} is {self.role} already."


@frozen
class NotInvited(Forbidden):
    """There is no invitation, or none that is still good."""

    user: str
    project: str

    def __str__(self) -> str:
        return f"The user {self.user!r} isn't invited to project {self.project!r}."


@frozen
class InvitedOften(TooMany):
    """Nobody is written to all day long."""

    user: str
    retry_after: int = DAY

    def __str__(self) -> str:
        return f"The user {self.user!r} was invited often enough today; try again tomorrow."


@frozen
class LastOwner(Conflict):
    """Somebody has to be able to manage the project."""

    project: str

    def __str__(self) -> str:
        return f"The project {self.project!r} would be without an owner."
