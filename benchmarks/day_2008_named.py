"""What the addresses of 2008 name: a project, a release, a file, a digest, or none of them."""

from __future__ import annotations

import re
from urllib.parse import unquote

from attrs import frozen

from pypi.domain.names import is_valid, normalize

APACHE = frozenset({"icons", "webstats"})
"""What the web server of those days showed of itself: pictures of its listings, pages about its visitors."""

ACCOUNTS = frozenset("login pkg_edit register_form role_form submit_form user_form".split())
"""Actions for people with an account, which show nothing of what the index holds."""

SEARCHES = frozenset({"search", "browse"})

ENDINGS = re.compile(
    r"(?:\.tar\.(?:gz|bz2|Z)|\.tgz|\.zip|\.egg|\.exe|\.rpm|\.deb|\.dmg|\.msi)$", re.IGNORECASE
)
SIGNATURE = ".asc"

# What stands behind the version in names of built distributions.
_BUILT = re.compile(
    r"(?:-py[23]\.[0-9])?(?:-(?:win32|linux-[\w]+|macosx-[\w.-]+))?$|\.(?:win32|linux-[\w]+|macosx-[\w.-]+)"
    r"(?:-py[23]\.[0-9])?$|-[0-9]+\.(?:noarch|src|i[3-6]86|x86_64)$|-py[23]\.[0-9](?:-[\w.-]+)?$",
    re.IGNORECASE,
)
_ACTION = re.compile(r"(?::|%3A|%253A)action", re.IGNORECASE)
_CONTROL = re.compile(r"%(?:0[0-9A-F]|1[0-9A-F]|7F)", re.IGNORECASE)
_STORABLE = re.compile(r"(?![.-])[A-Za-z0-9._!+~-]+")
_TEXT = re.compile(r"[ -\[\]-~]{1,100}")


@frozen
class Named:
    """What an address names.

    Attributes:
        project: as spelled, blanks as ``-``; empty for none.
        version: as spelled.
        filename: of a distribution.
        python: the folder it was in: ``source``, ``2.5``, ….
        digest: MD5.
        nameless: why it names nothing of a catalogue; empty where it does, or is a page every index has.
    """

    project: str = ""
    version: str = ""
    filename: str = ""
    python: str = ""
    digest: str = ""
    nameless: str = ""


def named(target: str) -> Named:
    """Take an address apart."""
    if _CONTROL.search(target):
        return Named(nameless="a control character")
    path, _, query = target.partition("#")[0].partition("?")
    first, *rest = [unquote(part) for part in re.sub("/+", "/", path).strip("/").split("/")]
    if first.lower() in APACHE:
        return Named(nameless="the web server's own")
    if first == "pypi" and rest[:1] == ["packages"]:
        return _in_packages(rest[1:])
    if first == "packages":
        return _in_packages(rest)
    if first == "simple" and rest:
        return _project(rest[0]) if len(rest) == 1 else Named(nameless="no address of the index")
    if first == "pypi" and rest:
        return _release(rest)
    return _action(query) if first == "pypi" and query else Named()


def _release(rest: list[str]) -> Named:
    if len(rest) > 2:
        return Named(nameless="no address of the index")
    return _project(*rest)


def _project(name: str, version: str = "") -> Named:
    spelled = re.sub(" +", "-", name.strip())
    if not is_valid(spelled):
        return Named(nameless="a name that no project may have now")
    if version and (not _TEXT.fullmatch(version) or version != version.strip()):
        return Named(nameless="a version that is none")
    return Named(project=spelled, version=version)


def _in_packages(rest: list[str]) -> Named:
    if len(rest) == 3:
        return _project(rest[2])
    if len(rest) != 4:
        return Named(nameless="a folder of files that names no project")
    python, _, name, filename = rest
    found = _project(name)
    if filename.endswith(SIGNATURE):
        return Named(nameless="a signature")
    if found.nameless or not ENDINGS.search(filename) or not _STORABLE.fullmatch(filename):
        return Named(nameless=found.nameless or "a filename that no distribution may have now")
    return Named(
        project=found.project, version=_version(found.project, filename), filename=filename, python=python
    )


def _version(project: str, filename: str) -> str:
    """The version in a filename, as well as can be told."""
    stem = _BUILT.sub("", ENDINGS.sub("", filename))
    for end in range(len(stem), 0, -1):
        if stem[end : end + 1] == "-" and normalize(stem[:end]) == normalize(project):
            return stem[end + 1 :] or "0"
    return stem.rpartition("-")[2] or "0"


def _action(query: str) -> Named:
    """Of the old forms, as their parameters say."""
    given = dict(pair.partition("=")[::2] for pair in re.split("[&;]", query))
    action = next((value for key, value in given.items() if _ACTION.fullmatch(key)), "")
    if action in ACCOUNTS:
        return Named(nameless="a page of accounts")
    name = "" if action in SEARCHES else given.get("name") or given.get("package_name") or ""
    if action == "show_md5":
        return Named(digest=given.get("digest", "").lower())
    if name:
        return _project(unquote(name.replace("+", " ")), unquote(given.get("version", "").replace("+", " ")))
    return Named()
