"""The one refusal of this room."""

from __future__ import annotations

from attrs import frozen

from pypi.domain.errors import Unavailable


@frozen
class EmbeddedServerFailed(Unavailable):
    """An embedded server cannot be started, found or reached.

    Attributes:
        message: the whole sentence: what is wrong and what the operator can do about it.
    """

    message: str

    def __str__(self) -> str:
        return self.message
