"""A project is renamed while somebody uploads to it: what was acknowledged is listed under either name."""

from __future__ import annotations

from threading import Thread

import pytest

from tests.support.invariants import check
from tests.support.rig import Outcome, Upload, Victim, new_name, upload

MOST = 1000
"""Uploads until the name has to be gone."""


@pytest.mark.long
async def test_renamed_under_uploads(victim: Victim) -> None:
    """Each upload is acknowledged and listed, until one is refused and hears of the new name."""
    old, new = new_name(), new_name()
    assert victim.publish(upload(old, "0.1")).status == 200
    done: list[tuple[Upload, Outcome]] = []
    uploading = Thread(target=_publish, args=(victim, old, done))
    uploading.start()
    renamed = victim.cheeseshop("project", "rename", old, new, status=None)
    uploading.join(60)
    assert renamed.returncode == 0, renamed.stderr
    assert {outcome.status for _, outcome in done[:-1]} == {200}
    refused = done[-1][1]
    assert (refused.status, f"called '{new}' now" in refused.said) == (400, True), refused
    done += [(wanted, victim.publish(wanted)) for wanted in (upload(new, "2.0"), upload(new, "0.1"))]
    listed = "".join(victim.get(f"/simple/{name}/")[1].decode() for name in (old, new))
    for wanted, outcome in done:
        assert (f">{wanted.filename}<" in listed) == (outcome.status == 200), wanted
    await check(victim)


def _publish(victim: Victim, name: str, done: list[tuple[Upload, Outcome]]) -> None:
    """Upload one version after the other until one is refused."""
    while len(done) < MOST and (not done or done[-1][1].status == 200):
        wanted = upload(name, f"1.{len(done)}")
        done.append((wanted, victim.publish(wanted)))
