"""What an old address asks for: values, which whoever answers looks up.

None of them holds a URL that a client sent: names, versions and digests are only ever looked up, and what was
found is what an answer is made of.
"""

from __future__ import annotations

from attrs import frozen

from pypi.domain.names import NormalizedName


@frozen(kw_only=True)
class Question:
    """Base of all.

    Attributes:
        feature: by which it is counted, and switched off (``pypi.domain.features``).
        by_program: whether programs ask it, who are to be told what is wrong rather than to be led on.
    """

    feature: str
    by_program: bool = False


@frozen(kw_only=True)
class Page(Question):
    """One of our own addresses, known beforehand.

    Attributes:
        path: beginning with a slash.
        query: (name, value) pairs, decoded.
    """

    path: str
    query: tuple[tuple[str, str], ...] = ()


@frozen(kw_only=True)
class Project(Question):
    """The page of a project, or of one of its releases.

    Attributes:
        version: in any spelling; ``None`` for the project.
        fragment: part of the page.
    """

    name: NormalizedName
    version: str | None = None
    fragment: str = ""


@frozen(kw_only=True)
class Document(Question):
    """A project or release in JSON; ``version`` as in ``Project``."""

    name: NormalizedName
    version: str | None = None
    by_program: bool = True


@frozen(kw_only=True)
class Links(Question):
    """The page of a project in the simple index.

    Attributes:
        format: the representation that was asked for by name, one of ``pypi.web.simple.OFFERS``; or nothing.
    """

    name: NormalizedName
    format: str = ""
    by_program: bool = True


@frozen(kw_only=True)
class User(Question):
    """The page of somebody."""

    name: str


@frozen(kw_only=True)
class File(Question):
    """A file by its project and name, in any spelling.

    Attributes:
        filename: as it was asked for, without the ending of a signature.
        signature: whether what is meant is the signature beside it.
    """

    project: NormalizedName
    filename: str
    signature: bool = False
    by_program: bool = True


@frozen(kw_only=True)
class Stored(Question):
    """A file by its content.

    Attributes:
        blake2_256: 64 hexadecimal digits.
        filename: as it was asked for.
    """

    blake2_256: str
    filename: str
    by_program: bool = True


@frozen(kw_only=True)
class Digest(Question):
    """Whether the index has a file of this MD5: 32 hexadecimal digits in lower case."""

    md5: str
    by_program: bool = True


@frozen(kw_only=True)
class Text(Question):
    """A few words of ours: ``classifiers``, ``daytime``, ``serial`` or ``last-modified``."""

    what: str
    by_program: bool = True


@frozen(kw_only=True)
class Elsewhere(Question):
    """An address the operator has configured.

    Attributes:
        url: where it begins.
        rest: decoded segments to put behind it.
    """

    url: str
    rest: tuple[str, ...] = ()


@frozen(kw_only=True)
class Today(Question):
    """What a route of today answers, at this very path: no redirect is needed."""

    path: str
    by_program: bool = True


@frozen(kw_only=True)
class Actions(Question):
    """The address of forms and of XML-RPC; what is asked there stands in the body."""

    by_program: bool = True


@frozen(kw_only=True)
class Gone(Question):
    """What was there once, and will not come back.

    Attributes:
        publishing: whether to name the address of uploads instead.
    """

    publishing: bool = False


@frozen(kw_only=True)
class Missing(Question):
    """Nothing, as far as can be seen without looking it up."""


@frozen(kw_only=True)
class Malformed(Question):
    """No question at all: it contradicts itself, or is not text."""
