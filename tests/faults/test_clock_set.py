"""The clock of the machine is set back and forth under a running service."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from attrs import define

from tests.support.index import OWNER
from tests.support.rig import Victim, upload, wait_for

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
SOON = 60.0

UNTOLD = """
    INSERT INTO journal (serial, action, tags, at)
    SELECT max(serial) + 1, 'nothing', ARRAY['nothing'], now() FROM journal RETURNING serial"""


@define(eq=False)
class Fooled(Victim):
    """A service that is told another time of day: that in a file."""

    def environment(self, **more: str) -> dict[str, str]:
        fooling = {
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self.clock),
            "FAKETIME_NO_CACHE": "1",
            # What only ever goes on is nobody's to set.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        return super().environment(**(fooling | more))

    @property
    def clock(self) -> Path:
        """The file that says by how much the clock is wrong."""
        return self.folder / "clock"

    def set_clock(self, by: str) -> None:
        """Set it, in one step."""
        new = self.folder / "clock.new"
        new.write_text(f"{by}\n")
        new.replace(self.clock)

    def ask(self, address: str) -> tuple[str, str]:
        """Body and date of an answer."""
        connection = HTTPConnection(urlsplit(address).netloc, timeout=SOON)
        connection.request("GET", urlsplit(address).path)
        answer = connection.getresponse()
        body = answer.read().decode()
        assert answer.status == 200
        connection.close()
        return body, str(answer.headers["Date"])

    def figure(self, name: str) -> float:
        """One of its metrics."""
        body, _ = self.ask(f"{self.operator_url}metrics")
        return float(
            next(line for line in body.splitlines() if line.startswith((f"{name} ", f"{name}{{"))).split()[1]
        )

    def knows(self, serial: int) -> bool:
        """Whether it has heard of a change."""
        return self.figure("cheeseshop_invalidation_last_serial") == serial


@pytest.mark.skipif(not LIBRARIES, reason="libfaketime is not installed")
async def test_the_clock_is_set(database_url: str, tmp_path: Path) -> None:
    """Back or forth, by hours or years: uploads, pages, looks at the journal and deadlines go on as ever."""
    fooled = Fooled(tmp_path, database_url=database_url)
    await fooled.welcome(OWNER)
    try:
        fooled.set_clock("+0")
        fooled.start()
        assert fooled.publish(upload("page", "1.0")).status == 200
        for turn, by in enumerate(("-3600", "+10y"), 2):
            _, before = fooled.ask(f"{fooled.simple}page/")
            fooled.set_clock(by)
            # Nobody is told of these, so they are found by looks that were scheduled before, and after.
            for _ in range(2):
                ((serial,),) = fooled.sql(UNTOLD)
                assert wait_for(partial(fooled.knows, serial), SOON)
            assert fooled.figure("cheeseshop_invalidation_blind") == 0
            body, after = fooled.ask(f"{fooled.simple}page/")
            moved = parsedate_to_datetime(after) - parsedate_to_datetime(before)
            assert abs(moved.total_seconds()) > 3000
            assert f"page-{turn - 1}.0" in body
            assert fooled.publish(upload("page", f"{turn}.0")).status == 200
            assert f"page-{turn}.0" in fooled.ask(f"{fooled.simple}page/")[0]
        assert "Traceback" not in fooled.log.read_text(), fooled.log.read_text()
    finally:
        fooled.end()
