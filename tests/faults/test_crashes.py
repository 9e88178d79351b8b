"""The service is killed, anywhere: no ack is lost, nothing half-made is seen, a retry succeeds."""

from __future__ import annotations

from random import Random
from signal import SIGKILL

import pytest

from pypi.failpoints import NAMES
from tests.support.invariants import check
from tests.support.rig import NO_ANSWER, PATIENCE, Victim, load, upload, wait_for

SIZE = 300_000
"""Bytes of a file that is written in several pieces."""

IN_UPLOAD = [
    "upload.tmp-open",
    "upload.mid-write",
    "upload.mid-write:2",
    # A wheel's metadata is stored first, the same way as the wheel.
    *(f"upload.after-{step}{time}" for step in ("fsync", "rename", "dirsync") for time in ("", ":2")),
    "upload.before-insert",
    "upload.after-insert",
    "upload.before-commit",
    "upload.after-commit",
]

ROUNDS = 20


def test_every_point_of_an_upload_is_rehearsed() -> None:
    """No failpoint is left out below."""
    rehearsed = {entry.partition(":")[0] for entry in IN_UPLOAD}
    assert rehearsed == {name for name in NAMES if name.startswith("upload.")}


@pytest.mark.parametrize("point", IN_UPLOAD)
async def test_killed_at_any_point_of_an_upload(resting: Victim, point: str) -> None:
    """The uploader gets no answer; after a restart all is well, and the same upload again is a 200."""
    resting.restart(point)
    wanted = upload(size=SIZE)
    assert resting.publish(wanted).status is NO_ANSWER
    assert resting.process.wait(PATIENCE) == -SIGKILL
    resting.restart()
    was_listed = resting.get(f"/simple/{wanted.project}/")[0] == 200
    assert was_listed == (point == "upload.after-commit")
    await check(resting)
    assert resting.publish(wanted).status == 200
    await check(resting)


async def test_killed_while_bytes_arrive(victim: Victim) -> None:
    """The temporary file that is left behind is swept away, and nothing was listed."""
    wanted = upload(size=SIZE)
    request = victim.request(wanted)
    with victim.connect() as connection:
        connection.sendall(request[: len(request) * 3 // 4])
        assert wait_for(lambda: victim.temporaries != [])
        victim.kill()
    victim.restart()
    assert victim.temporaries != []
    assert victim.get(f"/simple/{wanted.project}/")[0] == 404
    await check(victim)
    assert victim.publish(wanted).status == 200


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("upload.")])
async def test_killed_at_a_point_again_and_again_under_load(resting: Victim, name: str) -> None:
    """With several clients uploading, no kill loses what was acknowledged, and every retry is a 200."""
    random = Random(name)
    for _ in range(ROUNDS):
        resting.restart(f"{name}:{random.randint(1, 12)}")
        with load(resting, size=SIZE) as outcomes:
            assert resting.process.wait(60) == -SIGKILL
        resting.restart()
        await check(resting)
        for wanted, outcome in outcomes[-8:]:
            assert outcome.status in (200, NO_ANSWER)
            assert resting.publish(wanted).status == 200
    await check(resting)
