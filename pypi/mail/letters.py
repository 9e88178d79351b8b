"""Letters: what people are told by mail, as values; the words are in ``templates/mail/<name>``.

A letter is stored as it is until it was sent: it holds what its words need, and nothing else.
"""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

ACCOUNT = "/account/"
"""Where people look after their account."""


@frozen(kw_only=True)
class Letter:
    """To one person, about one thing.

    Attributes:
        name: of its templates, and in the database.
        subject: with its fields, and ``index``, in braces.
        facts: what is listed below its words: label and field.
        user: whom it is written to, by name; empty where that is not to be told, or not known.
    """

    name: ClassVar[str]
    subject: ClassVar[str]
    facts: ClassVar[tuple[tuple[str, str], ...]] = ()
    user: str

    @property
    def link_path(self) -> str:
        """Where its link leads, beginning with a slash."""
        return ACCOUNT


@frozen(kw_only=True)
class WithLink(Letter):
    """A letter with a link of its own.

    Attributes:
        path: where the link leads on this index; it may hold a secret, but no other host.
    """

    path: str

    @property
    def link_path(self) -> str:
        """Where its link leads, beginning with a slash."""
        return self.path


@frozen(kw_only=True)
class VerifyAddress(WithLink):
    """Asks whether an address is the account's."""

    name = "verify-address"
    subject = "Confirm your address at {index}"


@frozen(kw_only=True)
class ResetPassword(WithLink):
    """Lets somebody who has lost a password choose another."""

    name = "reset-password"
    subject = "Choose a new password at {index}"


@frozen(kw_only=True)
class AddressChanged(Letter):
    """Tells the old address; of the ``new`` one it shows no more than who knows it needs."""

    name = "address-changed"
    subject = "Your address at {index} was changed"
    facts = (("New address", "new"),)
    new: str


@frozen(kw_only=True)
class AddressKnown(Letter):
    """Tells whose address was given for a new account, ``wanted``, that it has one; the page tells nobody."""

    name = "address-known"
    subject = "Your address has an account at {index} already"
    facts = (("Account wanted", "wanted"),)
    wanted: str


@frozen(kw_only=True)
class AddressWanted(Letter):
    """Tells whose address somebody, ``by``, wants for another account, that it was not added."""

    name = "address-wanted"
    subject = "Your address at {index} was wanted for another account"
    facts = (("Wanted by", "by"),)
    by: str


@frozen(kw_only=True)
class PasswordChanged(Letter):
    """Tells of a new password."""

    name = "password-changed"
    subject = "Your password at {index} was changed"


@frozen(kw_only=True)
class ConfirmSignIn(WithLink):
    """Asks whether a sign-in by a browser not seen before is theirs, which waits for that."""

    name = "confirm-sign-in"
    subject = "Are you signing in at {index}?"
    facts = (("From", "address"), ("With", "agent"))
    address: str
    agent: str


@frozen(kw_only=True)
class NewSignIn(Letter):
    """Tells of a sign-in by a browser not seen before: from which ``address``, and what it says it is."""

    name = "new-sign-in"
    subject = "New sign-in to your account at {index}"
    facts = (("From", "address"), ("With", "agent"))
    address: str
    agent: str


@frozen(kw_only=True)
class FactorAdded(Letter):
    """Tells of one more second factor: ``factor`` in words, such as ``passkey “desk”``."""

    name = "factor-added"
    subject = "A second factor was added to your account at {index}"
    facts = (("Second factor", "factor"),)
    factor: str


@frozen(kw_only=True)
class FactorRemoved(Letter):
    """Tells of one second factor less."""

    name = "factor-removed"
    subject = "A second factor was removed from your account at {index}"
    facts = (("Second factor", "factor"),)
    factor: str


@frozen(kw_only=True)
class FactorsRemoved(Letter):
    """Tells that whoever runs the index removed all second factors, as who has lost them asks for."""

    name = "factors-removed"
    subject = "All second factors were removed from your account at {index}"


@frozen(kw_only=True)
class SignInLinked(Letter):
    """Tells of a sign-in elsewhere that leads into the account now: at ``provider``, as ``called``."""

    name = "sign-in-linked"
    subject = "Your account at {index} was linked to {provider}"
    facts = (("Sign-in with", "provider"), ("Known there as", "called"))
    provider: str
    called: str


@frozen(kw_only=True)
class SignInUnlinked(Letter):
    """Tells of a sign-in elsewhere that leads into the account no longer."""

    name = "sign-in-unlinked"
    subject = "Your account at {index} is no longer linked to {provider}"
    facts = (("Sign-in with", "provider"), ("Known there as", "called"))
    provider: str
    called: str


@frozen(kw_only=True)
class TokenMade(Letter):
    """Tells of a new token: its name and, in words, what it may; never the token."""

    name = "token-made"
    subject = "A token was made for your account at {index}"
    facts = (("Token", "token"), ("It may", "scope"))
    token: str
    scope: str


@frozen(kw_only=True)
class TokenReported(Letter):
    """Tells that a token was shown by somebody, and so is good for nothing any more."""

    name = "token-reported"
    subject = "A token of your account at {index} was revoked"
    facts = (("Token", "token"),)
    token: str


@frozen(kw_only=True)
class AccountDeleted(Letter):
    """Tells of the end of an account."""

    name = "account-deleted"
    subject = "Your account at {index} was deleted"


@frozen(kw_only=True)
class OfProject(Letter):
    """A letter about a project.

    Attributes:
        project: its name, as displayed.
        by: who did it; a user's name.
    """

    project: str
    by: str


@frozen(kw_only=True)
class Invited(WithLink):
    """Asks whether somebody wants to be a project's ``role``."""

    name = "invited"
    subject = "{by} invites you to {project} at {index}"
    facts = (("Project", "project"), ("Role", "role"), ("Invited by", "by"))
    project: str
    by: str
    role: str


@frozen(kw_only=True)
class RoleChanged(OfProject):
    """Tells of another role in a project."""

    name = "role-changed"
    subject = "Your role in {project} at {index} is now {role}"
    facts = (("Project", "project"), ("Role", "role"), ("Changed by", "by"))
    role: str


@frozen(kw_only=True)
class RoleRemoved(OfProject):
    """Tells of the end of a role in a project."""

    name = "role-removed"
    subject = "You have no role in {project} at {index} any more"
    facts = (("Project", "project"), ("Changed by", "by"))


@frozen(kw_only=True)
class ProjectRenamed(OfProject):
    """Tells of a project's ``new`` name."""

    name = "project-renamed"
    subject = "{project} at {index} is now called {new}"
    facts = (("Old name", "project"), ("New name", "new"), ("Renamed by", "by"))
    new: str


@frozen(kw_only=True)
class ProjectTransferred(OfProject):
    """Tells of a project's new owner, ``owner``."""

    name = "project-transferred"
    subject = "{project} at {index} was given to {owner}"
    facts = (("Project", "project"), ("New owner", "owner"), ("Given by", "by"))
    owner: str


@frozen(kw_only=True)
class ProjectDeleted(OfProject):
    """Tells of the end of a project."""

    name = "project-deleted"
    subject = "{project} at {index} was deleted"
    facts = (("Project", "project"), ("Deleted by", "by"))


@frozen(kw_only=True)
class ProjectQuarantined(OfProject):
    """Tells that nobody gets a project from here for now, and why."""

    name = "project-quarantined"
    subject = "{project} at {index} was quarantined"
    facts = (("Project", "project"), ("Reason", "reason"), ("Decided by", "by"))
    reason: str


@frozen(kw_only=True)
class QuarantineCleared(OfProject):
    """Tells that a project is offered as before."""

    name = "quarantine-cleared"
    subject = "{project} at {index} is out of quarantine"
    facts = (("Project", "project"), ("Decided by", "by"))


LETTERS: dict[str, type[Letter]] = {
    one.name: one
    for one in (
        VerifyAddress,
        ResetPassword,
        AddressChanged,
        AddressKnown,
        AddressWanted,
        PasswordChanged,
        ConfirmSignIn,
        NewSignIn,
        FactorAdded,
        FactorRemoved,
        FactorsRemoved,
        SignInLinked,
        SignInUnlinked,
        TokenMade,
        TokenReported,
        AccountDeleted,
        Invited,
        RoleChanged,
        RoleRemoved,
        ProjectRenamed,
        ProjectTransferred,
        ProjectDeleted,
        ProjectQuarantined,
        QuarantineCleared,
    )
}
"""Every letter by its name."""
