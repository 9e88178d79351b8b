"""Files that are not handed out, though they are there: those of projects in quarantine."""

from __future__ import annotations

from attrs import define, field
from twisted.logger import Logger

from pypi.db.queries import status
from pypi.index.looking import Looking

log = Logger()


@define(eq=False, repr=False)
class Withheld(Looking):
    """Knows their digests, so that a download needs no look into the database.

    Attributes:
        digests: BLAKE2b-256, hexadecimal.
    """

    digests: frozenset[str] = field(default=frozenset(), init=False)
    _looks: int = field(default=0, init=False)
    _seen: int = field(default=0, init=False)

    def __repr__(self) -> str:
        return f"<Withheld {len(self.digests)} files>"

    async def look(self) -> None:
        """Know what is withheld now; never fails.

        Of several looks at once none undoes what one saw that began later, and none waits for another: who
        has looked knows what was so before.
        """
        self._looks += 1
        number = self._looks
        try:
            found = await self.database.scan(status.withheld)
        except Exception as error:
            log.warn("It is not known which files are withheld: {error}", error=repr(error))
            self._later()
            return
        if number > self._seen:
            self._seen, self.digests = number, found
