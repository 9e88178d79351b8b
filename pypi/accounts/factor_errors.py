"""Why a second factor cannot be had, used or removed."""

from __future__ import annotations

from attrs import frozen

from pypi.domain.errors import Conflict, Forbidden, Invalid, NotFound


class WrongCode(Forbidden):
    """Neither a code of the authenticator app that is good now, nor an unused recovery code."""

    def __str__(self) -> str:
        return "This code is not right, or was used before. Wait for the next one and try again."


class WrongPasskey(Forbidden):
    """What the browser sent is no proof that somebody here has a passkey; why, nobody is told."""

    def __str__(self) -> str:
        return "This passkey was not recognised."


@frozen
class CopiedPasskey(WrongPasskey):
    """The counter of a passkey did not go on: there may be a copy of it. Something for the security log.

    Attributes:
        user_id: whose it is.
        name: what its owner calls it.
    """

    user_id: int
    name: str

    def __str__(self) -> str:
        return "This passkey was refused, because there seems to be a copy of it. Use another, and remove it."


class UnusablePasskey(Invalid):
    """What the browser sent is no new passkey for this index."""

    def __str__(self) -> str:
        return "This is no passkey that can be used here. Try again, or use another device."


class StaleChallenge(Conflict):
    """Nothing was asked of this browser, too long ago, or the answer was given already."""

    def __str__(self) -> str:
        return "This took too long, or was answered already. Try again."


@frozen
class PasskeysImpossible(Invalid):
    """Browsers offer passkeys only for names of hosts, and only over HTTPS or on the machine itself."""

    origin: str

    def __str__(self) -> str:
        return f"Browsers offer no passkeys for {self.origin}: that needs HTTPS and the name of a host."


class PasskeyKnown(Conflict):
    """That passkey belongs to an account already."""

    def __str__(self) -> str:
        return "This passkey is in use already."


@frozen
class TooManyPasskeys(Conflict):
    """An account has as many as it may have."""

    limit: int

    def __str__(self) -> str:
        return f"An account has at most {self.limit} passkeys. Remove one before adding another."


class NoSuchPasskey(NotFound):
    """The account has no such passkey."""

    def __str__(self) -> str:
        return "There is no such passkey."


class TotpInUse(Conflict):
    """The account has an authenticator app; its secret is not replaced behind its back."""

    def __str__(self) -> str:
        return "An authenticator app is set up already. Remove it before setting up another."


class NoTotp(NotFound):
    """The account has no authenticator app, or has not begun to set one up."""

    def __str__(self) -> str:
        return "No authenticator app is set up, or being set up."


class NoFactorYet(Conflict):
    """Recovery codes stand in for a second factor, of which the account has none."""

    def __str__(self) -> str:
        return "Recovery codes stand in for a second factor. Set one up first."


class LastFactor(Forbidden):
    """Who runs the index has to keep a second factor."""

    def __str__(self) -> str:
        return "Operators need a second factor. Add another before removing this one."
