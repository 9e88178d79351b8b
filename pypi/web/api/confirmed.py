"""What cannot be undone is asked for by name, twice."""

from __future__ import annotations

from pypi.domain.errors import InvalidField
from pypi.domain.names import normalize


def check_confirmed(name: str, confirm: str) -> None:
    """Make sure that the body names the same project as the address.

    Raises:
        InvalidField: it does not.
    """
    if normalize(confirm) != normalize(name):
        raise InvalidField("confirm", "confirm has to be the name of the project once more.")
