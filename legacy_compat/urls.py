"""The table of old addresses: path and query in, what is asked for out. Nothing is looked up here.

``None`` means that an address is none of the old ones, or one of today's in its very spelling: the routes
answer it. On a host that is not ours (``foreign``) today's addresses are old ones, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from attrs import define, frozen

from legacy_compat import actions
from legacy_compat.files import ASC, is_bucket
from legacy_compat.questions import (
    Document,
    File,
    Gone,
    Links,
    Malformed,
    Missing,
    Page,
    Project,
    Question,
    Stored,
    Text,
    Today,
    User,
)
from legacy_compat.spelling import BadQuery, Parameters, name_of, pairs
from pypi.domain.names import NormalizedName

FORMATS = frozenset(
    (
        "text/html",
        *("application/vnd.pypi.simple.v1+html", "application/vnd.pypi.simple.v1+json"),
        *("application/vnd.pypi.simple.latest+html", "application/vnd.pypi.simple.latest+json"),
    )
)
"""Representations of the simple index that may be asked for by name."""

PAGES = frozenset(
    (
        *("/account/login/", "/account/register/", "/account/request-password-reset/"),
        *("/manage/account/", "/manage/projects/", "/security/", "/stats/"),
    )
)
"""Pages that old addresses lead to."""

OAUTH = frozenset("request_token access_token authorise add_release upload docupload test".split())

SEARCHED = ("q", "c", "o", "page")
"""Parameters of the search page that survive a redirect, in this order."""

_BYTE = re.compile("[0-9a-f]{2}")
_DIGEST_REST = re.compile("[0-9a-f]{60}")


@frozen(kw_only=True)
class Path:
    """A path taken apart.

    Attributes:
        root: its first segment, in lower case.
        parts: those behind it.
        slash: whether it ends in a slash.
        exact: whether it was written as it is: root in lower case, no slash twice.
        query: as sent.
        foreign: whether it was asked of a host that is not ours.
    """

    root: str
    parts: tuple[str, ...]
    slash: bool
    exact: bool
    query: bytes
    foreign: bool

    @classmethod
    def of(cls, text: str, *, runs: bool = False, query: bytes = b"", foreign: bool = False) -> Path:
        """A path as text.

        Args:
            text: decoded, without empty segments.
            runs: whether it had some.
        """
        first, *parts = text[1:].split("/")
        slash = bool(parts) and not parts[-1]
        root = first.lower()
        return cls(
            root=root,
            parts=tuple(parts[:-1] if slash else parts),
            slash=slash,
            exact=root == first and not runs,
            query=query,
            foreign=foreign,
        )

    @property
    def of_today(self) -> bool:
        """Whether routes of today may know it as it is."""
        return self.exact and not self.foreign


@define
class Table:
    """First segment → what answers for it."""

    rows: dict[str, Callable[[Path], Question | None]]

    def add(self, *roots: str) -> Callable[[Rule], Rule]:
        """A rule for these first segments."""

        def added(rule: Rule) -> Rule:
            self.rows.update(dict.fromkeys(roots, rule))
            return rule

        return added


Rule = Callable[[Path], Question | None]
_TABLE = Table({})


def question(path: Path) -> Question | None:
    """What an address asks for; ``None`` where the routes of today answer it."""
    rule = _TABLE.rows.get(path.root)
    if rule is None:
        return None
    try:
        return rule(path)
    except BadQuery:
        return Malformed(feature="legacy.home")


# --- /pypi -------------------------------------------------------------------------------------------------


@_TABLE.add("pypi")
def _pypi(path: Path) -> Question | None:
    parts = path.parts
    if not parts:
        return actions.asked(Parameters(pairs(path.query)))
    if parts[0] == "packages" and len(parts) >= 4:
        return _packages_below(path, parts[1:])
    name = name_of(parts[0])
    if len(parts) in (2, 3) and parts[-1] == "json":
        return _json(path, name)
    if len(parts) in (2, 3) and parts[-1] == "doap":
        return Gone(feature="legacy.doap")
    if name is None or len(parts) > 3:
        return Missing(feature="legacy.project")
    if len(parts) == 3:
        return _part(name, *parts[1:])
    return Project(feature="legacy.project", name=name, version=parts[1] if len(parts) == 2 else None)


def _json(path: Path, name: NormalizedName | None) -> Question | None:
    if not path.foreign:
        # Clients of this API follow no redirects: every spelling is answered as it is.
        there = "/".join(("/pypi", *path.parts)) + ("/" if path.slash else "")
        return None if path.exact else Today(feature="legacy.json", path=there)
    if name is None:
        return Missing(feature="legacy.json", by_program=True)
    version = path.parts[1] if len(path.parts) == 3 else None
    return Document(feature="legacy.json", name=name, version=version)


def _part(name: NormalizedName, version: str, part: str) -> Question:
    if part == "display_pkginfo":
        return Document(feature="legacy.part", name=name, version=version, by_program=False)
    if part not in ("display", "files"):
        return Missing(feature="legacy.part")
    fragment = "files" if part == "files" else ""
    return Project(feature="legacy.part", name=name, version=version, fragment=fragment)


@_TABLE.add("cgi-bin")
def _cgi(path: Path) -> Question | None:
    if path.parts != ("pypi.cgi",):
        return None
    return actions.asked(Parameters(pairs(path.query)), home="legacy.cgi")


# --- projects and people ------------------------------------------------------------------------------------


@_TABLE.add("project")
def _project(path: Path) -> Question | None:
    if path.of_today and path.slash:
        return None
    return _named(path, "legacy.pages")


@_TABLE.add("p")
def _short(path: Path) -> Question | None:
    return _named(path, "legacy.short")


def _named(path: Path, feature: str) -> Question | None:
    if len(path.parts) not in (1, 2):
        return None
    name = name_of(path.parts[0])
    if name is None:
        return Missing(feature=feature)
    return Project(feature=feature, name=name, version=path.parts[1] if len(path.parts) == 2 else None)


@_TABLE.add("u")
def _user(path: Path) -> Question | None:
    return User(feature="legacy.short", name=path.parts[0]) if len(path.parts) == 1 else None


# --- the simple index ---------------------------------------------------------------------------------------


@_TABLE.add("simple")
def _simple(path: Path) -> Question | None:
    feature, parts = "legacy.simple", path.parts
    if not parts or (parts == ("index.html",) and not path.slash):
        if path.of_today and path.slash:
            return None
        asked = _format(path)
        query = (("format", asked),) if asked else ()
        return Page(feature=feature, path="/simple/", query=query, by_program=True)
    if len(parts) > 2 or (len(parts) == 2 and (path.slash or parts[1] != "index.html")):
        return Missing(feature=feature, by_program=True)
    name = name_of(parts[0])
    if path.of_today and path.slash and parts == (name,):
        return None
    if name is None:
        return Missing(feature=feature, by_program=True)
    return Links(feature=feature, name=name, format=_format(path))


def _format(path: Path) -> str:
    """The representation that is asked for by name; a plus sign may come as a blank."""
    if b"format" not in path.query:
        return ""
    asked = (Parameters(pairs(path.query)).first("format") or "").replace(" ", "+")
    return asked if asked in FORMATS else ""


# --- files --------------------------------------------------------------------------------------------------


@_TABLE.add("packages")
def _packages(path: Path) -> Question | None:
    return _packages_below(path, path.parts)


def _packages_below(path: Path, parts: tuple[str, ...]) -> Question | None:
    # A fragment that somebody has escaped is one nevertheless.
    whole, cut, _ = "/".join(parts).partition("#")
    slash = whole.endswith("/") or (path.slash and not cut)
    parts = tuple(part for part in whole.split("/") if part)
    if _is_stored(parts):
        if path.of_today and path.root == "packages" and not (cut or slash):
            return None
        missing = Missing(feature="legacy.files", by_program=True)
        return missing if slash else _stored(path, parts)
    if len(parts) == 3 and is_bucket(parts[1], parts[2]):
        name = name_of(parts[2])
        if name is not None:
            return Links(feature="legacy.file_lists", name=name)
    if len(parts) == 4 and is_bucket(parts[1], parts[2]) and not slash:
        return _file(parts[2], parts[3])
    return Missing(feature="legacy.files", by_program=True)


def _is_stored(parts: tuple[str, ...]) -> bool:
    if len(parts) != 4:
        return False
    first, second, rest, _ = parts
    return bool(_BYTE.fullmatch(first) and _BYTE.fullmatch(second) and _DIGEST_REST.fullmatch(rest))


def _stored(path: Path, parts: tuple[str, ...]) -> Question:
    if not path.foreign:
        return Today(feature="legacy.files", path="/".join(("/packages", *parts)))
    return Stored(feature="legacy.files", blake2_256="".join(parts[:3]), filename=parts[3])


def _file(folder: str, filename: str) -> Question:
    project = name_of(folder)
    signature = filename.endswith(ASC)
    feature = "legacy.signatures" if signature else "legacy.files"
    if project is None:
        return Missing(feature=feature, by_program=True)
    return File(feature=feature, project=project, filename=filename.removesuffix(ASC), signature=signature)


# --- what mirrors asked for (PEP 381) -----------------------------------------------------------------------


@_TABLE.add("daytime", "serial", "last-modified")
def _moment(path: Path) -> Question | None:
    return None if path.parts else Text(feature="legacy.mirrors", what=path.root)


@_TABLE.add("serversig", "local-stats", "webstats")
def _mirrors_below(path: Path) -> Question | None:
    statistics = path.root != "serversig"
    return Gone(feature="legacy.statistics" if statistics else "legacy.mirrors")


@_TABLE.add("serverkey", "mirrors")
def _mirrors(path: Path) -> Question | None:
    return None if path.parts else Gone(feature="legacy.mirrors")


@_TABLE.add("stats")
def _stats(path: Path) -> Question | None:
    if path.parts[:1] in (("days",), ("months",)):
        return Gone(feature="legacy.statistics")
    return _page(path)


# --- signing in, of old -------------------------------------------------------------------------------------


@_TABLE.add("id")
def _identity(path: Path) -> Question | None:
    return Gone(feature="legacy.openid") if len(path.parts) < 2 else None


@_TABLE.add("google_login", "openid_login", "openid_claim")
def _openid(path: Path) -> Question | None:
    return None if path.parts else Gone(feature="legacy.openid")


@_TABLE.add("oauth")
def _oauth(path: Path) -> Question | None:
    known = not path.parts or (len(path.parts) == 1 and path.parts[0] in OAUTH)
    return Gone(feature="legacy.oauth") if known else None


# --- pages --------------------------------------------------------------------------------------------------


@_TABLE.add("account", "manage", "security")
def _page(path: Path) -> Question | None:
    there = "/".join(("", path.root, *path.parts, ""))
    if there not in PAGES or (path.of_today and path.slash):
        return None
    return Page(feature="legacy.pages", path=there)


@_TABLE.add("search")
def _search(path: Path) -> Question | None:
    if path.parts or (path.of_today and path.slash):
        return None
    given = Parameters(pairs(path.query))
    query = tuple((name, value) for name in SEARCHED for value in given.all(name))
    return Page(feature="legacy.pages", path="/search/", query=query)


@_TABLE.add("tos")
def _terms(path: Path) -> Question | None:
    return None if path.parts else Gone(feature="legacy.pages")


def roots() -> Mapping[str, Rule]:
    """Every first segment that old addresses have."""
    return _TABLE.rows
