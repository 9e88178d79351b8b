"""The recorded cases of old addresses: what is there, how they are asked, what is expected."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from attrs import define, field, frozen
from twisted.internet import reactor

from pypi.domain.names import normalize
from tests.support import client
from tests.support.client import Reply

ORIGIN = "https://index.example"
CASES = json.loads(Path(__file__).with_name("legacy_cases.json").read_text())

PAGES = {
    "/account/login/": "/account/sign-in/",
    "/account/request-password-reset/": "/account/reset/",
    "/manage/account/": "/account/",
    "/manage/projects/": "/manage/",
}
"""Pages for people, as they were called when the cases were recorded → as they are today."""

for _case in CASES:
    _case["expect"]["location"] = PAGES.get(_case["expect"]["location"], _case["expect"]["location"])

CLOSED: Reply | None = None
"""What stands for a connection that was closed without an answer."""


@define
class World:
    """What some cases have in common, so that one index can answer them all.

    Attributes:
        projects: normalized name → (name, releases).
        files: filename → the file.
        settings: of the index; a case that says nothing of one does not mind it.
    """

    projects: dict[str, tuple[str, tuple[str, ...]]] = field(factory=dict)
    files: dict[str, dict[str, Any]] = field(factory=dict)
    settings: dict[str, str] = field(factory=dict)
    cases: list[dict[str, Any]] = field(factory=list)

    @classmethod
    def of(cls, case: Mapping[str, Any]) -> World:
        """What one case needs."""
        given = case["given"]
        world = cls()
        for one in given.get("projects", ()):
            world.projects[normalize(one["project"])] = one["project"], tuple(one["releases"])
        world.files = {one["filename"]: one for one in given.get("files", ())}
        if "require_https" in given:
            world.settings["require_https"] = "on" if given["require_https"] else "off"
        return world

    def takes(self, other: World) -> bool:
        """Take another in, if nothing of the two differs."""
        pairs: list[tuple[dict[str, Any], dict[str, Any]]] = [
            (self.projects, other.projects),
            (self.files, other.files),
            (self.settings, other.settings),
        ]
        if any(mine.get(key, value) != value for mine, theirs in pairs for key, value in theirs.items()):
            return False
        for mine, theirs in pairs:
            mine.update(theirs)
        return True


def worlds() -> list[World]:
    """All cases, in as few worlds as they fit into."""
    made: list[World] = []
    for case in CASES:
        needed = World.of(case)
        world = next((one for one in made if one.takes(needed)), None)
        if world is None:
            world = needed
            made.append(world)
        world.cases.append(case)
    return made


@frozen
class Asked:
    """A request as bytes, and whether its answer has a body."""

    data: bytes
    has_body: bool


def request(case: Mapping[str, Any], *, secure: bool) -> Asked:
    """The request of a case; over HTTPS as a proxy in front says it, where that matters."""
    body = case["body"].encode() if case["body"] is not None else None
    headers = dict(case["headers"])
    if case["host"]:
        headers = {"Host": case["host"]} | headers
    if secure:
        headers["X-Forwarded-Proto"] = case.get("scheme", "https")
    if body is not None:
        headers["Content-Length"] = str(len(body))
    return _request(case["method"], case["path"], case.get("http_version", "HTTP/1.1"), headers, body or b"")


def following(location: str, *, secure: bool) -> Asked:
    """What a client asks that follows a redirect to this index."""
    parts = urlsplit(location)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Host": parts.netloc} | ({"X-Forwarded-Proto": parts.scheme} if secure else {})
    return _request("GET", target, "HTTP/1.1", headers, b"")


def _request(method: str, target: str, version: str, headers: Mapping[str, str], body: bytes) -> Asked:
    lines = [f"{method} {target} {version}", *(f"{name}: {value}" for name, value in headers.items())]
    data = "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + body
    return Asked(data, has_body=method != "HEAD")


async def ask(port: int, asked: Asked) -> Reply | None:
    """The answer to a request; ``CLOSED`` where there is none."""
    exchange = await client.connect(port)
    exchange.send(asked.data)
    exchange.ended.addTimeout(client.TIMEOUT, reactor)  # type: ignore[arg-type]
    received = (await exchange.ended).replace(b"HTTP/1.0 ", b"HTTP/1.1 ", 1)
    return client.parse(received, has_body=asked.has_body) if received else CLOSED


def differences(expect: Mapping[str, Any], reply: Reply | None) -> Iterator[str]:
    """What of an answer is not as expected."""
    statuses = expect.get("status_any", [expect["status"]])
    if reply is None:
        if 0 not in statuses:
            yield "the connection was closed"
        return
    if reply.status not in statuses:
        yield f"status {reply.status}, not {statuses}"
    yield from _location(expect, reply)
    if expect["content_type"] is not None and not reply["Content-Type"].startswith(expect["content_type"]):
        yield f"Content-Type {reply['Content-Type']}"
    text = reply.body.decode("utf-8", "replace")
    yield from (f"no {part!r} in the body" for part in expect.get("body_contains", ()) if part not in text)
    yield from (f"{part!r} in the body" for part in expect.get("body_excludes", ()) if part in text)
    yield from (f"header {name}" for name in expect.get("headers_absent", ()) if name in reply)
    for name, value in expect.get("headers", {}).items():
        if _tokens(reply[name]) != _tokens(value):
            yield f"{name}: {reply[name]}"


def _location(expect: Mapping[str, Any], reply: Reply) -> Iterator[str]:
    is_redirect = reply.status in (301, 302, 303, 307, 308)
    wanted = expect["location"] if is_redirect or "status_any" not in expect else None
    found = reply["Location"] or None
    if (wanted is None) != (found is None) or (
        wanted and urljoin(ORIGIN, wanted) != urljoin(ORIGIN, found or "")
    ):
        yield f"Location {found!r}, not {wanted!r}"


def _tokens(value: str) -> set[str]:
    return {token.strip() for token in value.split(",")}
