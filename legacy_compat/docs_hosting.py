"""Documentation the index once hosted: it is served from nowhere here, but may have moved somewhere."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from legacy_compat.questions import Elsewhere, Missing, Question
from legacy_compat.spelling import name_of
from pypi.domain.names import NormalizedName, normalize

FEATURE = "legacy.docs"


@frozen
class Moved:
    """Where the documentation of projects has gone; nothing but the operator's word counts.

    Attributes:
        urls: project → URL. One that ends in a slash is the address of it all; behind any other stands what
            was asked for.
    """

    urls: Mapping[NormalizedName, str]

    @classmethod
    def of(cls, urls: Mapping[str, str]) -> Moved:
        """By names in any spelling."""
        return cls({normalize(name): url for name, url in urls.items()})

    def question(self, text: str) -> Question:
        """What a path on a host of documentation asks for.

        Args:
            text: decoded, without empty segments.
        """
        first, *rest = text[1:].split("/")
        name = name_of(first)
        url = self.urls.get(name) if name is not None else None
        if url is None:
            return Missing(feature=FEATURE)
        if url.endswith("/"):
            return Elsewhere(feature=FEATURE, url=url)
        return Elsewhere(feature=FEATURE, url=url, rest=tuple(rest or [""]))
