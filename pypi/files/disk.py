"""How much room is left where files lie."""

from __future__ import annotations

import shutil
from pathlib import Path

from attrs import frozen
from twisted.internet.threads import deferToThread


@frozen
class Disk:
    """The disk a folder is on."""

    folder: Path

    async def free(self) -> int | None:
        """Bytes left; ``None`` where nobody can say."""
        try:
            usage = await deferToThread(shutil.disk_usage, self.folder)
        except OSError:
            return None
        return usage.free
