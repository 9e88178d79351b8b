"""XML-RPC in logs, which hold no bodies: read-only calls of the sizes that were answered.

What a client of 2008 called can only be guessed, by the bytes of the answer:

- more than 100,000: the list of all projects (``list_packages``);
- the size of an empty list, 138 or less: ``package_releases`` of a name the index did not know;
- up to 340, a list of a few versions: ``package_releases``;
- every other one of those in between: ``release_urls`` and ``release_data`` by turns.

Names and versions are those that the same log has asked for just before.
"""

from __future__ import annotations

import re
from collections import deque
from urllib.parse import unquote
from xmlrpc.client import dumps

from attrs import define, evolve, field

from pypi.shadow.lines import Recorded

READ_ONLY = frozenset(
    "browse changed_packages changelog changelog_last_serial changelog_since_serial list_packages "
    "list_packages_with_serial package_data package_hosting_mode package_releases package_roles package_urls "
    "release_data release_downloads release_urls search top_packages updated_releases user_packages "
    "system.listMethods system.methodHelp system.methodSignature".split()
)
"""Calls that change nothing; ``system.multicall`` might hold others."""

PATHS = frozenset({"/pypi", "/pypi/", "/RPC2", "/RPC2/"})
LISTS, FEW, NOTHING = 100_000, 340, 138
KNOWN = 256
"""Names that are remembered."""

_METHOD = re.compile(
    r"\s*(?:<\?xml[^>]{0,100}\?>)?\s*<methodCall>\s*<methodName>\s*([\w.]{1,100})\s*</methodName>"
)
_NAME = re.compile(r"/simple/([^/?#]+)/?")
_RELEASE = re.compile(r"/pypi/([^/?#]+)/([^/?#]+)")


def is_call(recorded: Recorded) -> bool:
    """Whether a POST without its body was XML-RPC, as far as path and client tell."""
    return recorded.target.partition("?")[0] in PATHS and "xmlrpc" in recorded.agent.lower()


def is_read_only(body: str) -> bool:
    """Whether a body is a call that changes nothing."""
    found = _METHOD.match(body)
    return found is not None and found[1] in READ_ONLY


def call(method: str, *arguments: str) -> str:
    """The body of a call."""
    return dumps(arguments, method)


@define(eq=False)
class Calls:
    """Makes calls, of what it has learnt from the same log; the same log makes the same calls."""

    _names: deque[str] = field(factory=lambda: deque(["setuptools"], KNOWN))
    _releases: deque[tuple[str, str]] = field(factory=lambda: deque([("setuptools", "0.6c9")], KNOWN))
    _made: int = 0

    def learn(self, recorded: Recorded) -> None:
        """Remember what was asked for and was there."""
        if recorded.status != 200 or recorded.method != "GET":
            return
        if found := _NAME.fullmatch(recorded.target):
            self._names.append(unquote(found[1]))
        elif found := _RELEASE.fullmatch(recorded.target):
            self._releases.append((unquote(found[1]), unquote(found[2])))

    def instead_of(self, recorded: Recorded) -> Recorded:
        """The same request with a body."""
        self._made += 1
        return evolve(recorded, target=recorded.target.partition("?")[0], body=self._body(recorded.size))

    def _body(self, size: int) -> str:
        name = self._names[self._made % len(self._names)]
        if size > LISTS:
            return call("list_packages")
        if size <= NOTHING:
            return call("package_releases", f"{name}-which-nobody-has")
        if size <= FEW:
            return call("package_releases", name)
        name, version = self._releases[self._made % len(self._releases)]
        return call(("release_urls", "release_data")[self._made % 2], name, version)
