"""What must hold after every fault, as one function.

I1: every acknowledged file is listed, in HTML and in JSON, and downloads with its bytes.
I2: nothing is listed whose bytes or metadata are missing or differ.
I3: a filename once seen with a digest never has another one.
I6: after a sweep, no orphans and their folders, no temporary files, no errands are left.
And searches look into what is on the index, nothing else, and who needs what is read off it.
A name leads to one project, and each file is found by one that its project has or had.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from attrs import evolve, frozen
from twisted.internet import reactor as _reactor

from pypi.app import build
from pypi.config import load
from pypi.db.database import Database
from pypi.files.local import LocalFiles
from pypi.files.workers import Workers
from pypi.jobs.schedule import Schedule
from pypi.jobs.sweep import Sweep
from pypi.jobs.turn import InTurn
from tests.support.index import NO_REDIS
from tests.support.rig import Victim

reactor: Any = _reactor

JSON = "application/vnd.pypi.simple.v1+json"

_PROJECT = re.compile(r'<a href="/simple/([^"]+)/">')
_LINK = re.compile(r'<a href="([^"#]+)#sha256=([0-9a-f]{64})" (.*?)>([^<]+)</a>')
_METADATA = re.compile(r'data-core-metadata="sha256=([0-9a-f]{64})"')


NAMES_ASTRAY = """
    SELECT normalized, 'leads to two projects' FROM projects JOIN former_names USING (normalized)
     UNION ALL
    SELECT f.filename, 'is of a name that its project never had' FROM files f
     WHERE f.former_name IS NOT NULL AND NOT EXISTS (
           SELECT FROM former_names n WHERE n.project_id = f.project_id AND n.normalized = f.former_name)"""


@frozen
class Entry:
    """A file as a page lists it."""

    filename: str
    path: str
    sha256: str
    metadata_sha256: str | None


async def check(victim: Victim) -> None:
    """Sweep up behind a service that runs and that nobody uses now; fails if an invariant is broken."""
    await sweep(victim)
    found = violations(victim)
    assert not found, "\n".join(found)


async def sweep(victim: Victim) -> None:
    """Run all jobs of the service once, in this process; nothing is too young to be swept away."""
    config = load(environment={}, overrides={"service.data": str(victim.data)})
    application = build(
        config,
        reactor,
        database_url=victim.server_url,
        redis_url=NO_REDIS,
        origin="http://index.example",
    )
    needed = [part for part in application.parts if isinstance(part, Workers | LocalFiles | Database)]
    (schedule,) = (part for part in application.parts if isinstance(part, Schedule))
    for part in needed:
        await part.start()
    try:
        for job in schedule.jobs:
            job = job.job if isinstance(job, InTurn) else job
            await (evolve(job, age=timedelta(0)) if isinstance(job, Sweep) else job).run()
    finally:
        for part in reversed(needed):
            await part.stop()


def violations(victim: Victim) -> list[str]:
    """Every broken invariant, as a sentence."""
    listed, differing = listing(victim)
    return [
        *differing,
        *_of_acks(victim, listed),
        *_of_bytes(victim, listed),
        *_of_digests(victim, listed),
        *_of_searches(victim),
        *_of_dependencies(victim),
        *_of_names(victim),
        *_of_leftovers(victim, listed),
    ]


def listing(victim: Victim) -> tuple[dict[str, Entry], list[str]]:
    """All files by their names, and in which pages HTML and JSON differ."""
    entries: dict[str, Entry] = {}
    differing = []
    names = _PROJECT.findall(_page(victim, "/simple/", "text/html"))
    if len(names) != len(json.loads(_page(victim, "/simple/", JSON))["projects"]):
        differing.append("/simple/ lists other projects in HTML than in JSON")
    for name in names:
        in_html = dict(_of_html(_page(victim, f"/simple/{name}/", "text/html")))
        in_json = dict(_of_json(_page(victim, f"/simple/{name}/", JSON)))
        if in_html != in_json:
            differing.append(f"{name} differs: {in_html} in HTML, {in_json} in JSON")
        entries |= in_json
    return entries, differing


def _of_html(page: str) -> Iterator[tuple[str, Entry]]:
    for url, sha256, attributes, text in _LINK.findall(page):
        metadata = _METADATA.search(attributes)
        filename = unescape(text)
        yield filename, Entry(filename, _path(unescape(url)), sha256, metadata[1] if metadata else None)


def _of_json(page: str) -> Iterator[tuple[str, Entry]]:
    for file in json.loads(page)["files"]:
        metadata = file["core-metadata"]
        sha256 = metadata["sha256"] if metadata else None
        yield file["filename"], Entry(file["filename"], _path(file["url"]), file["hashes"]["sha256"], sha256)


def _path(url: str) -> str:
    return urlsplit(url).path


def _page(victim: Victim, path: str, accept: str) -> str:
    status, body = victim.get(path, accept)
    assert status == 200, f"{path}: {status}"
    return body.decode()


def _of_acks(victim: Victim, listed: dict[str, Entry]) -> Iterator[str]:
    for filename in sorted(victim.acks.keys() - listed.keys()):
        yield f"{filename} was acknowledged and is not listed"


def _of_bytes(victim: Victim, listed: dict[str, Entry]) -> Iterator[str]:
    for entry in listed.values():
        yield from _of_download(victim, entry.path, entry.sha256)
        if entry.metadata_sha256 is not None:
            yield from _of_download(victim, f"{entry.path}.metadata", entry.metadata_sha256)


def _of_download(victim: Victim, path: str, sha256: str) -> Iterator[str]:
    status, body = victim.get(path)
    if status != 200:
        yield f"{path} is listed, and its download is a {status}"
    elif hashlib.sha256(body).hexdigest() != sha256:
        yield f"{path} has other bytes than is said"


def _of_digests(victim: Victim, listed: dict[str, Entry]) -> Iterator[str]:
    used = dict(victim.sql("SELECT filename, sha256 FROM filenames"))
    for entry in listed.values():
        first = victim.digests.setdefault(entry.filename, entry.sha256)
        if entry.sha256 != first:
            yield f"{entry.filename} was {first} and is {entry.sha256}"
        if used.get(entry.filename) != entry.sha256:
            yield f"{entry.filename} is {used.get(entry.filename)} in the ledger of filenames"


def _of_searches(victim: Victim) -> Iterator[str]:
    differing = victim.sql(
        """SELECT s.normalized, d.normalized FROM search s FULL JOIN search_documents d USING (project_id)
            WHERE to_jsonb(s) IS DISTINCT FROM to_jsonb(d)"""
    )
    for found, meant in differing:
        yield f"searches look into {found} where {meant} is meant"


def _of_dependencies(victim: Victim) -> Iterator[str]:
    differing = victim.sql(
        """SELECT d.dependent, d.normalized, m.dependent, m.normalized
             FROM dependencies d FULL JOIN dependencies_meant m USING (project_id, normalized)
            WHERE to_jsonb(d) IS DISTINCT FROM to_jsonb(m)"""
    )
    for dependent, needed, who, what in differing:
        yield f"{dependent} is said to need {needed} where {who} is meant, which needs {what}"


def _of_names(victim: Victim) -> Iterator[str]:
    for what, wrong in victim.sql(NAMES_ASTRAY):
        yield f"{what} {wrong}"


def _of_leftovers(victim: Victim, listed: dict[str, Entry]) -> Iterator[str]:
    expected = {unquote(entry.path).removeprefix("/packages/") for entry in listed.values()}
    expected |= {f"{path}.metadata" for path in expected}
    for folder, _, names in os.walk(victim.file()):
        place = Path(folder).relative_to(victim.file())
        for name in names:
            if str(place / name) not in expected:
                yield f"{place / name} is left in the store"
        if len(place.parts) == 3 and not names:
            yield f"{place} is left empty in the store"
    ((errands,),) = victim.sql("SELECT count(*) FROM outbox")
    if errands:
        yield f"{errands} errands are left in the outbox"
