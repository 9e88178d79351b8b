"""Every recorded case of an old address, asked of an index that listens, byte by byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

from tests.legacy_compat import cases, catalogue
from tests.legacy_compat.cases import CASES, ORIGIN, World
from tests.support.databases import Databases
from tests.support.index import Index, running

HOSTS: dict[str, list[str]] = next(case["given"] for case in CASES if case["id"] == "hst-001")["legacy_hosts"]
MOVED = next(case["given"] for case in CASES if case["id"] == "doc-001")["docs_redirects"]

WORLDS = cases.worlds()


@pytest.mark.parametrize("number", range(len(WORLDS)))
async def test_cases(databases: Databases, tmp_path: Path, number: int) -> None:
    """All cases of one world are answered as recorded, for the first time and for the second."""
    world, url = WORLDS[number], databases.make()
    secure = world.settings.get("require_https") == "on"
    wrong: dict[str, list[str]] = {}
    async with running(url, tmp_path, **_settings(secure)) as index:
        await catalogue.write(index, world.projects.values(), map(_listed, world.files.values()))
        for case in (*world.cases, *world.cases):
            wrong[case["id"]] = wrong.get(case["id"], []) + await _wrong(index, case, secure)
        assert not index.errors
    databases.drop(url)
    assert {case: found for case, found in wrong.items() if found} == {}


def _settings(secure: bool) -> dict[str, object]:
    settings: dict[str, object] = {
        "service__origin": ORIGIN,
        "legacy__uploads": "gone",
        "limits__factor": 0,
        "legacy__docs_redirects": MOVED,
        **{f"legacy__{kind}_hosts": names for kind, names in HOSTS.items()},
    }
    if secure:
        settings |= {"service__require_https": "on", "service__trusted_proxies": ["127.0.0.0/8"]}
    return settings


def _listed(file: dict[str, Any]) -> catalogue.Listed:
    return catalogue.Listed(
        project=file["project"],
        version=file["version"],
        filename=file["filename"],
        content=file["content_utf8"].encode(),
        signed=file.get("signature") == "present",
    )


async def _wrong(index: Index, case: dict[str, Any], secure: bool) -> list[str]:
    reply = await cases.ask(index.port, cases.request(case, secure=secure))
    found = list(cases.differences(case["expect"], reply))
    bounds = case["expect"].get("follow")
    if bounds and reply is not None and not found:
        found += await _too_far(index, reply, bounds, secure)
    return found


async def _too_far(index: Index, reply: cases.Reply, bounds: dict[str, Any], secure: bool) -> list[str]:
    for hop in range(bounds["max_redirects"] + 1):
        if not 300 <= reply.status < 400:
            ends = bounds["final_status"]
            return [] if reply.status in ends else [f"ends at {reply.status} after {hop} redirects"]
        there = urljoin(ORIGIN, reply["Location"])
        answer = await cases.ask(index.port, cases.following(there, secure=secure))
        assert answer is not None
        reply = answer
    return ["more redirects than allowed"]


def test_worlds_hold_all_cases() -> None:
    """No case is left out."""
    assert sorted(case["id"] for world in WORLDS for case in world.cases) == sorted(
        case["id"] for case in CASES
    )
    assert len(WORLDS) < 8
    assert all(isinstance(world, World) for world in WORLDS)
