"""Why a sign-in with a provider comes to nothing, or an account cannot be linked to one."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from pypi.domain.errors import Conflict, Forbidden, NotFound, Refusal, Unavailable


class Untrue(Exception):
    """What a provider says breaks a rule; ``str()`` says which, for the log, and holds nothing secret."""


@frozen
class ProviderDown(Unavailable):
    """The provider does not answer, or not in time."""

    provider: str

    def __str__(self) -> str:
        return f"{self.provider} does not answer at the moment. Try again later, or sign in another way."


@frozen
class ProviderUntrue(Forbidden):
    """What the provider says cannot be believed; why, the operator finds in the log."""

    provider: str

    def __str__(self) -> str:
        return (
            f"What {self.provider} says could not be verified, so nobody was signed in. Try again; if it "
            "happens again, tell the operator of this index, who finds the reason in the log."
        )


@frozen
class ProviderRefused(Forbidden):
    """The provider, or whoever stood before it, did not want to."""

    provider: str

    def __str__(self) -> str:
        return f"{self.provider} did not sign you in. Try again, or sign in another way."


@frozen
class StaleSignIn(Conflict):
    """This browser was not sent to the provider, too long ago, or came back already."""

    provider: str

    def __str__(self) -> str:
        return (
            f"This sign-in with {self.provider} was begun in another browser, too long ago, or ended "
            "already. Begin it again."
        )


@frozen
class AccountClosed(Forbidden):
    """The account that is linked may not sign in."""

    provider: str

    def __str__(self) -> str:
        return f"The account that is linked to your sign-in with {self.provider} is closed."


@frozen
class NobodyHere(Forbidden):
    """The provider knows somebody whom nobody here does, and makes no accounts."""

    provider: str

    def __str__(self) -> str:
        return (
            f"No account of this index is linked to your sign-in with {self.provider}. If you have one, sign "
            "in to it another way and link them; if not, ask the operator for one."
        )


@frozen
class WrongDomain(Forbidden):
    """New accounts are for people with certain addresses only."""

    provider: str

    def __str__(self) -> str:
        return (
            f"An account is made here for people of certain organisations only, and {self.provider} does not "
            "say that you have a verified e-mail address there."
        )


@frozen
class AddressKnown(Conflict):
    """Somebody new has the address of an account; whether it is theirs, the account's password says."""

    provider: str

    def __str__(self) -> str:
        return (
            "There is an account with your e-mail address already. If it is yours, sign in to it another way "
            f"and link it to {self.provider}."
        )


@frozen
class IdentityTaken(Conflict):
    """Another account is linked to it."""

    provider: str

    def __str__(self) -> str:
        return f"This sign-in with {self.provider} is linked to another account of this index."


@frozen
class TooManyIdentities(Conflict):
    """The account is linked to as many as it may be."""

    most: int

    def __str__(self) -> str:
        return f"An account is linked to at most {self.most} sign-ins."


class NoSuchIdentity(NotFound):
    """The account has no such linked sign-in."""

    def __str__(self) -> str:
        return "Your account has no such linked sign-in."


class LastWayIn(Conflict):
    """Nobody could sign in to the account any longer."""

    def __str__(self) -> str:
        return (
            "This is the only way you can sign in. Choose a password, or add a passkey, before you remove it."
        )


REASONS: Mapping[type[Refusal], str] = {
    ProviderUntrue: "what the provider says could not be verified",
    ProviderRefused: "the provider refused",
    AccountClosed: "the account is closed",
    NobodyHere: "the provider knows somebody whom nobody here does",
    WrongDomain: "the provider names no verified address of the right domain",
    AddressKnown: "there is an account with the address that the provider names",
    IdentityTaken: "the provider speaks of somebody who has another account",
}
"""What the security log is told of, in words: a provider was asked, and it ended so."""

ENDS = tuple(REASONS)
