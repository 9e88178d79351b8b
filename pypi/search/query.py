"""What XML-RPC clients look for, as a value: read from what they send."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import Enum

from attrs import frozen

from pypi.domain.errors import Invalid

FIELDS = (
    "name",
    "version",
    "summary",
    "description",
    "keywords",
    "author",
    "author_email",
    "maintainer",
    "maintainer_email",
    "home_page",
    "download_url",
    "license",
    "platform",
)
"""Fields that can be searched; clients of old may name others, which count for nothing."""

MOST_WORDS = 50
MOST_CHARACTERS = 1000
"""Of all words together."""

MOST_HITS = 100


STOP = frozenset(
    "a about all am an and any are as at be been but by can did do does for from had has have he her here "
    "him his how i if in into is it its just me more my no nor not now of off on only or our out over own "
    "same she so some such than that the their them then there these they this those to too under until up "
    "very was we were what when where which while who whom why will with you your".split()
)
"""Words that tell nothing, as the database's dictionary has it."""


class Operator(Enum):
    """How the conditions on several fields are combined."""

    AND = "and"
    OR = "or"


@frozen
class BadQuery(Invalid):
    """Nobody can look for this; ``sentence`` says why."""

    sentence: str

    def __str__(self) -> str:
        return self.sentence


@frozen
class Wanted:
    """A condition on one field: it holds any of the words, in capitals or not, wherever in its text.

    Attributes:
        field: one of ``FIELDS``.
        words: at least one; each may hold blanks, and is then looked for with them.
    """

    field: str
    words: tuple[str, ...]


@frozen(kw_only=True)
class Query:
    """What is looked for; equal questions are equal values, with equal keys.

    Attributes:
        fields: conditions on fields, each field at most once, in the order of ``FIELDS``.
        operator: whether all of them must be met, or any.
        limit: hits wanted at most.
    """

    fields: tuple[Wanted, ...] = ()
    operator: Operator = Operator.AND
    limit: int = MOST_HITS

    @property
    def is_empty(self) -> bool:
        """Whether nothing is looked for, so that nothing is found."""
        return not self.fields

    @property
    def of_versions(self) -> bool:
        """Whether each version that fits is a hit, and not each project."""
        return any(one.field == "version" for one in self.fields)

    @property
    def key(self) -> str:
        """The question as one line of ASCII, by which caches know it."""
        fields = {one.field: one.words for one in self.fields}
        return json.dumps([fields, self.operator.value, self.limit], separators=(",", ":"))


def of_fields(spec: Mapping[str, object], operator: str = "and") -> Query:
    """The question of an XML-RPC client: ``search({"name": ["six"], "summary": ["six"]}, "or")``.

    Args:
        spec: field → a text, or a list of texts any of which will do; fields nobody knows are passed over,
            and so are texts of nothing but blanks.
        operator: ``and`` or ``or``, in capitals or not.

    Raises:
        BadQuery: a value is no text and no list of texts, there are too many, or the operator is another.
    """
    fields = tuple(
        Wanted(field, words)
        for field in FIELDS
        if (words := tuple(_distinct(_texts(field, spec.get(field)))))
    )
    _check_size([word for one in fields for word in one.words])
    # One condition is met by all and by any.
    asked = _operator(operator)
    return Query(fields=fields, operator=asked if len(fields) > 1 else Operator.AND)


def _texts(field: str, value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        yield from value
    elif value is not None:
        raise BadQuery(f"The value of {field!r} must be a string or an array of strings")


def _distinct(texts: Iterator[str] | list[str]) -> Iterator[str]:
    """The texts as they are compared, each once, without those that say nothing."""
    seen = set()
    for text in texts:
        word = comparable(text)
        if word and word not in seen:
            seen.add(word)
            yield word


def comparable(text: str) -> str:
    """A text without what makes no difference, and without what no database holds."""
    # The database knows which letters belong together beyond ASCII; it is the one that compares.
    clean = text.replace("\0", " ").encode("utf-8", "replace").decode()
    word = " ".join(clean.split())
    return word.lower() if word.isascii() else word


def _operator(given: str) -> Operator:
    try:
        return Operator(given.lower())
    except (AttributeError, ValueError):
        raise BadQuery("Invalid operator, must be one of 'and' or 'or'.") from None


def _check_size(words: list[str] | tuple[str, ...]) -> None:
    if len(words) > MOST_WORDS:
        raise BadQuery(f"A search has at most {MOST_WORDS} words.")
    if sum(map(len, words)) > MOST_CHARACTERS:
        raise BadQuery("Query string too long.")
