"""How two processes share the tests: file by file, but whole folders where starting takes long."""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

WHOLE = ("tests/browser/", "tests/cli/", "tests/clients/")
"""Folders whose tests share services that run for all of them."""


class Shares(LoadFileScheduling):
    """Gives each process the next file or folder."""

    def _split_scope(self, nodeid: str) -> str:
        folder = next((folder for folder in WHOLE if nodeid.startswith(folder)), None)
        return folder or str(super()._split_scope(nodeid))

    def remove_node(self, node: WorkerController) -> str | None:
        """Give to others what a process has left undone, but not the test that ended it: it would again."""
        units = list(self.assigned_work.get(node, {}).values())
        for unit in units:
            for test, is_done in unit.items():
                if not is_done:
                    unit[test] = True
                    super().remove_node(node)
                    return str(test)
        return super().remove_node(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Shares:
    """Asked where there is more than one process."""
    return Shares(config, log)  # type: ignore[arg-type]
