"""The disk is full: uploads are refused whole, reads go on, and all is well when there is room again."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator

import pytest

from tests.support.invariants import check
from tests.support.rig import MiB, Upload, Victim, upload

DISK = 16 * MiB
PIECE = 3 * MiB
"""Bytes of one upload: several fit, and the last fits in part."""

BALLAST = "ballast"


@pytest.fixture
def small_disk(resting: Victim) -> Iterator[Victim]:
    """A running service whose files lie on a disk of 16 MiB, of which 6 MiB are a ballast."""
    folder = resting.file()
    folder.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", folder], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"Mounting a small disk is not permitted here: {mounted.stderr.strip()}")
    try:
        resting.file(BALLAST).write_bytes(bytes(6 * MiB))
        resting.start()
        yield resting
    finally:
        resting.end()
        subprocess.run(["umount", folder], check=True)


def fill(victim: Victim) -> Upload:
    """Upload until an upload is refused for want of room; that one."""
    for _ in range(DISK // PIECE + 1):
        wanted = upload(size=PIECE)
        outcome = victim.publish(wanted)
        if outcome.status != 200:
            assert outcome.status == 507
            return wanted
    raise AssertionError("the disk took more than it has room for")


async def test_disk_fills_up(small_disk: Victim) -> None:
    """What does not fit is a 507 and leaves nothing; what fitted is handed out; new room is used."""
    refused = fill(small_disk)
    assert small_disk.acks, "some fitted"
    assert small_disk.temporaries == []
    assert small_disk.get(f"/simple/{refused.project}/")[0] == 404
    for wanted in small_disk.acks.values():
        assert wanted.filename in small_disk.get(f"/simple/{wanted.project}/")[1].decode()
    assert small_disk.publish(refused).status == 507
    small_disk.file(BALLAST).unlink()
    assert small_disk.publish(refused).status == 200
    await check(small_disk)


@pytest.mark.parametrize("room", [0, 1, 4096, 70_000, 200_000, 310_000])
async def test_limit_on_file_sizes(survivor: Victim, room: int) -> None:
    """A limit of the operating system on the size of files, wherever it strikes, does the same."""
    wanted = upload(size=300_000)
    before, hard = resource.prlimit(survivor.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(survivor.pid, resource.RLIMIT_FSIZE, (room, hard))
    outcome = survivor.publish(wanted)
    resource.prlimit(survivor.pid, resource.RLIMIT_FSIZE, (before, hard))
    assert outcome.status == (200 if room > len(wanted.data) else 507)
    assert survivor.temporaries == []
    assert survivor.publish(wanted).status == 200
    await check(survivor)
