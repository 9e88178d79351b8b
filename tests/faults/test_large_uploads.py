"""Large uploads: memory does not grow with them, and everybody else is served meanwhile."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import pytest_twisted

from tests.support.index import OWNER
from tests.support.invariants import check
from tests.support.rig import MiB, Outcome, Victim, upload

GROWTH = 60 * MiB
"""Bytes of memory that any number of uploads may cost the service."""

SETTINGS = {"UPLOADS_MAX_FILE_SIZE": "2GB"}

OTHERS_WAIT = 5.0
"""Seconds after which another client gives up; a reactor that is not blocked answers in milliseconds."""


@pytest_twisted.async_yield_fixture
async def victim(database_url: str, tmp_path: Path) -> AsyncIterator[Victim]:
    """A running service that takes large files."""
    made = Victim(tmp_path, SETTINGS, database_url=database_url)
    await made.welcome(OWNER)
    try:
        made.start()
        yield made
    finally:
        made.end()


@pytest.mark.parametrize(
    ("uploads", "size"), [(4, 64 * MiB), pytest.param(4, 256 * MiB, marks=pytest.mark.long)]
)
async def test_large_uploads_at_once(victim: Victim, uploads: int, size: int) -> None:
    """Several at the same time cost a bounded amount of memory, and small requests are answered all along."""
    assert victim.publish(upload("small")).status == 200
    victim.get("/simple/small/")
    idle = memory(victim, "VmRSS")
    forget_peak(victim)
    wanted = [upload(size=size) for _ in range(uploads)]
    calls = [lambda one=one: victim.publish(one) for one in wanted]
    outcomes, answered = while_others_read(victim, calls)
    assert [outcome.status for outcome in outcomes] == [200] * uploads
    assert answered > uploads
    growth = memory(victim, "VmHWM") - idle
    print(f"idle {idle >> 20} MiB, peak +{growth >> 20} MiB, {answered} pages read meanwhile")
    assert growth <= GROWTH
    await check(victim)


def while_others_read(victim: Victim, calls: list[Callable[[], Outcome]]) -> tuple[list[Outcome], int]:
    """Make the calls, each in a thread; until all have returned, read a page again and again.

    Returns:
        what they returned, and how often the page was read.
    """
    answered = 0
    with ThreadPoolExecutor(len(calls)) as pool:
        running = [pool.submit(call) for call in calls]
        while not all(one.done() for one in running):
            assert victim.get("/simple/small/", seconds=OTHERS_WAIT)[0] == 200
            answered += 1
        return [one.result() for one in running], answered


def forget_peak(victim: Victim) -> None:
    """Have the peak of memory counted from here."""
    Path(f"/proc/{victim.pid}/clear_refs").write_text("5")


def memory(victim: Victim, what: str) -> int:
    """Bytes of the service's own process: ``VmRSS`` now, ``VmHWM`` at its peak."""
    found = re.search(rf"^{what}:\s+(\d+) kB$", Path(f"/proc/{victim.pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) << 10
