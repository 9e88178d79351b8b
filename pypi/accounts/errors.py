"""Why an account cannot be made, or somebody cannot be recognised."""

from __future__ import annotations

from attrs import frozen

from pypi.domain.errors import Conflict, Forbidden, Gone, Invalid, NotFound, Unauthenticated


class NoCredentials(Unauthenticated):
    """The request says nothing of who is asking."""

    def __str__(self) -> str:
        return (
            "Authentication is required: use your user name and password, "
            "or __token__ as user name and an API token as password."
        )


class WrongCredentials(Unauthenticated):
    """What the request says of who is asking is not so; which part of it, nobody is told."""

    def __str__(self) -> str:
        return "Invalid or non-existent authentication information."


class NotForThisToken(Forbidden):
    """The token is good for one project, and this is about another, or about all."""

    def __str__(self) -> str:
        return "Invalid API Token: it is good for one project alone, and this is not about that."


class TokenNeeded(Forbidden):
    """The account has a second factor, so that a password alone does not do."""

    def __str__(self) -> str:
        return (
            "This account has a second factor, so its password is not enough: "
            "use __token__ as user name and an API token as password."
        )


class SessionOver(Unauthenticated):
    """The session was ended while it was used."""

    def __str__(self) -> str:
        return "You are no longer signed in. Sign in again."


@frozen
class NameTaken(Conflict):
    """An account of that name exists, or existed, perhaps in other letter case."""

    name: str

    def __str__(self) -> str:
        return f"There is already a user named {self.name!r}, or there was."


@frozen
class AddressTaken(Conflict):
    """Another account has that e-mail address."""

    address: str

    def __str__(self) -> str:
        return f"The e-mail address {self.address!r} belongs to another user."


@frozen
class UnusableName(Invalid):
    """No account can have that name."""

    name: str

    def __str__(self) -> str:
        return (
            f"{self.name!r} cannot be a user name: use 1 to 50 letters, digits and inner '.', '_' and '-', "
            "and none of the words kept for tools."
        )


@frozen
class UnusableAddress(Invalid):
    """That is no e-mail address."""

    address: str

    def __str__(self) -> str:
        return f"{self.address!r} is not an e-mail address."


@frozen
class UnusablePassword(Invalid):
    """Too short to be safe, or too long to be a password."""

    at_least: int
    at_most: int

    def __str__(self) -> str:
        return f"A password has {self.at_least} to {self.at_most} characters."


@frozen
class WeakPassword(Invalid):
    """Long enough, and yet easily guessed."""

    reason: str

    def __str__(self) -> str:
        return f"Choose another password: {self.reason}."


class UnusableProof(Gone):
    """A secret that was sent by mail is good no longer, or never was; which of it, nobody is told."""

    def __str__(self) -> str:
        return "This link was used before, is too old, or was replaced. Ask for a new one."


class RegistrationOff(Forbidden):
    """Accounts of this index are made by its operator."""

    def __str__(self) -> str:
        return "Accounts of this index are made by its operator."


class NoSuchAddress(NotFound):
    """The account has no such e-mail address."""

    def __str__(self) -> str:
        return "Your account has no such e-mail address."


class PrimaryAddress(Conflict):
    """The address that mail goes to cannot be removed."""

    def __str__(self) -> str:
        return "This is where your mail goes. Make another address the primary one first."


@frozen
class TooManyAddresses(Conflict):
    """The account has as many addresses as it may have."""

    most: int

    def __str__(self) -> str:
        return f"An account has at most {self.most} e-mail addresses."


class NoSuchToken(NotFound):
    """The account has no such token, or has revoked it."""

    def __str__(self) -> str:
        return "There is no such token."


@frozen
class TooManyTokens(Conflict):
    """The account has as many tokens as it may have."""

    most: int

    def __str__(self) -> str:
        return f"An account has at most {self.most} tokens. Revoke one that is not needed any more."


@frozen
class NoSuchUser(NotFound):
    """No account has that name."""

    name: str

    def __str__(self) -> str:
        return f"There is no user named {self.name!r}."
