"""Which passwords are good enough: long, not the name, and not known to have leaked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from attrs import frozen
from twisted.logger import Logger

from pypi.accounts.errors import UnusablePassword, WeakPassword
from pypi.accounts.passwords import MAX_LENGTH
from pypi.domain.errors import Unavailable

log = Logger()

OWN = 6
"""Characters a password has besides names."""

DIFFERENT = 4
"""Characters that are different, at the least."""


@frozen(kw_only=True)
class Strength:
    """The rule, which asks for length and for no kinds of characters (NIST SP 800-63B, section 5.1.1.2).

    Attributes:
        at_least: characters.
        breached: whether a password is known to have leaked; ``None`` to ask nobody.
    """

    at_least: int = 10
    breached: Callable[[str], Awaitable[bool]] | None = None

    async def check(self, password: str, *, names: Iterable[str]) -> None:
        """Refuse a password that is not good enough; as ``look`` does, and then ``ask``."""
        self.look(password, names=names)
        await self.ask(password)

    def look(self, password: str, *, names: Iterable[str]) -> None:
        """Refuse a password that one sees is not good enough.

        Args:
            names: of its owner: of the account, and e-mail addresses.

        Raises:
            UnusablePassword: it is too short, or too long.
            WeakPassword: it is easily guessed.
        """
        if not self.at_least <= len(password) <= MAX_LENGTH:
            raise UnusablePassword(self.at_least, MAX_LENGTH)
        if len(set(password)) < DIFFERENT:
            raise WeakPassword("it is made of very few different characters")
        if any(_is_made_of(password, word) for name in names for word in _words(name)):
            raise WeakPassword("it is little more than your name or address")

    async def ask(self, password: str) -> None:
        """Refuse a password that others say has leaked; whoever has them asked is counted first.

        Raises:
            WeakPassword: it has.
        """
        if await self._is_breached(password):
            raise WeakPassword("it is in lists of passwords that have leaked elsewhere")

    async def _is_breached(self, password: str) -> bool:
        if self.breached is None:
            return False
        try:
            return await self.breached(password)
        except Unavailable as reason:
            log.warn("Nobody can say whether a password has leaked: {reason}", reason=str(reason))
            return False


def _words(name: str) -> set[str]:
    local, _, domain = name.partition("@")
    return {word for word in (name, local, domain) if len(word) >= 3}


def _is_made_of(password: str, word: str) -> bool:
    given = password.casefold()
    return word.casefold() in given and len(given.replace(word.casefold(), "")) < OWN
