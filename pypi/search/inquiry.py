"""What a person looks for, and among what: read from the parameters of a page or of the API."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import Enum
from urllib.parse import urlencode

from attrs import frozen

from pypi.domain.errors import Invalid
from pypi.search.query import comparable

PARAMETERS = ("q", "c", "python", "wheels", "o", "page")
"""Names of parameters, in the order they are written."""

MOST_CHARACTERS = 200
"""Of the words together."""

MOST_WORDS = 12
MOST_CLASSIFIERS = 10
LONGEST_CLASSIFIER = 200
PER_PAGE = 20
MOST_PAGES = 50

PYTHON = re.compile(r"[23]\.(0|[1-9][0-9]?)", re.ASCII)


class Order(Enum):
    """What comes first."""

    RELEVANCE = "relevance"
    DATE = "date"
    DOWNLOADS = "downloads"


@frozen
class BadInquiry(Invalid):
    """Nobody can look for this; ``field`` is the parameter at fault, ``sentence`` says why."""

    field: str
    sentence: str

    def __str__(self) -> str:
        return self.sentence


@frozen(kw_only=True)
class Inquiry:
    """What is looked for; equal questions are equal values.

    Attributes:
        text: words, in lower case as far as ASCII goes, with one blank between two.
        classifiers: all of which a project has to have, or others below them; sorted, each once.
        python: a version such as ``3.12`` on which a project has to run; empty: on any.
        wheels: whether it has to have a wheel.
        order: what comes first.
        page: from 1.
    """

    text: str = ""
    classifiers: tuple[str, ...] = ()
    python: str = ""
    wheels: bool = False
    order: Order = Order.RELEVANCE
    page: int = 1

    @property
    def is_filtered(self) -> bool:
        """Whether only some of what the words find is wanted."""
        return bool(self.classifiers or self.python or self.wheels)

    @property
    def parameters(self) -> Sequence[tuple[str, str]]:
        """The question as pairs of name and value, in their one order, without what goes without saying."""
        pairs = [("q", self.text)] if self.text else []
        pairs += [("c", one) for one in self.classifiers]
        pairs += [("python", self.python)] if self.python else []
        pairs += [("wheels", "1")] if self.wheels else []
        pairs += [("o", self.order.value)] if self.order is not Order.RELEVANCE else []
        return [*pairs, ("page", str(self.page))] if self.page > 1 else pairs

    @property
    def query(self) -> str:
        """The same as the query of a URL, without the question mark."""
        return urlencode(self.parameters)


def of_parameters(given: Mapping[bytes, Sequence[bytes]]) -> Inquiry:
    """The question that parameters of a URL ask; unknown ones count for nothing, nor do empty ones.

    Raises:
        BadInquiry: a value is none, or too much.
    """
    texts = {
        name: [comparable(one.decode("utf-8", "replace")) for one in given.get(name.encode(), ())]
        for name in PARAMETERS
        if name != "c"
    }
    return Inquiry(
        text=_text(_one(texts, "q")),
        classifiers=_classifiers(given.get(b"c", ())),
        python=_python(_one(texts, "python")),
        wheels=_wheels(_one(texts, "wheels")),
        order=_order(_one(texts, "o")),
        page=_page(_one(texts, "page")),
    )


def meant(given: Mapping[str, Sequence[str]], forgiven: Collection[str] = ()) -> Mapping[str, Sequence[str]]:
    """The parameters of a question as all who ask the same share them; those of a bad one as they are.

    Args:
        forgiven: parameters whose values count for nothing where they are at fault.
    """
    encoded = {name.encode(): [one.encode("utf-8", "replace") for one in given[name]] for name in given}
    try:
        pairs = of_parameters(encoded).parameters
    except BadInquiry as bad:
        field = bad.field
    else:
        return {name: [value for other, value in pairs if other == name] for name, _ in pairs}
    if field not in forgiven:
        return {name: values for name, values in given.items() if values}
    return meant({name: values for name, values in given.items() if name != field}, forgiven)


def _one(texts: Mapping[str, Sequence[str]], name: str) -> str:
    return texts[name][0] if texts[name] else ""


def _text(text: str) -> str:
    if len(text) > MOST_CHARACTERS:
        raise BadInquiry("q", f"A search has at most {MOST_CHARACTERS} characters.")
    if len(text.split()) > MOST_WORDS:
        raise BadInquiry("q", f"A search has at most {MOST_WORDS} words.")
    return text


def _classifiers(given: Iterable[bytes]) -> tuple[str, ...]:
    # As they are spelled: a classifier is found in this spelling or not at all.
    texts = (" ".join(one.decode("utf-8", "replace").replace("\0", " ").split()) for one in given)
    found = sorted({one for one in texts if one})
    if len(found) > MOST_CLASSIFIERS:
        raise BadInquiry("c", f"A search has at most {MOST_CLASSIFIERS} classifiers.")
    if any(len(one) > LONGEST_CLASSIFIER for one in found):
        raise BadInquiry("c", f"A classifier has at most {LONGEST_CLASSIFIER} characters.")
    return tuple(found)


def _python(text: str) -> str:
    if text and not PYTHON.fullmatch(text):
        raise BadInquiry("python", "A version of Python is written like 3.12.")
    return text


def _wheels(text: str) -> bool:
    if text not in ("", "0", "1"):
        raise BadInquiry("wheels", "wheels is 1, or is left out.")
    return text == "1"


def _order(text: str) -> Order:
    try:
        return Order(text or "relevance")
    except ValueError:
        raise BadInquiry("o", "The order is one of relevance, date and downloads.") from None


def _page(text: str) -> int:
    if not text:
        return 1
    if not re.fullmatch("[0-9]{1,4}", text, re.ASCII) or not 1 <= int(text) <= MOST_PAGES:
        raise BadInquiry("page", f"A page is a number from 1 to {MOST_PAGES}.")
    return int(text)
