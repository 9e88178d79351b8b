"""Archives inspected in processes of their own, so that a hostile one can hurt nothing but its inspector.

An inspector is a child (``pypi.publishing.children``) that runs ``archives.child``. The archive that is the
end of its inspector is refused.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from attrs import asdict, define, field, frozen
from twisted.logger import Logger

from pypi.domain.errors import Invalid, InvalidDistribution, Unavailable
from pypi.publishing.archives import Contents, Limits, wire
from pypi.publishing.children.confined import Budget
from pypi.publishing.children.pool import Children, ChildrenBusy
from pypi.publishing.children.process import ChildUnavailable, JobLost

log = Logger()


@frozen
class InspectorsBusy(Unavailable):
    """As many archives wait for an inspector as may."""

    def __str__(self) -> str:
        return "Too many files are being inspected at the moment; nothing was stored. Try again later."


@frozen
class InspectionFailed(Unavailable):
    """No inspector can be started, or it could not do its work."""

    def __str__(self) -> str:
        return "The file cannot be inspected at the moment; nothing was stored. Try again later."


def took_too_much() -> InvalidDistribution:
    """The refusal of an archive that was the end of its inspector."""
    return InvalidDistribution("The archive took too long or too much memory to inspect")


@define(eq=False, repr=False, kw_only=True)
class Inspectors:
    """A bounded pool of inspecting processes.

    Attributes:
        reactor: starts processes and tells the time.
        processes: at most this many inspectors; each is started when there is need of it.
        limits: of an archive.
        budget: what the operating system grants an inspector.
        deadline_seconds: for one archive, by the clock on the wall.
        most_waiting: archives that may wait for an inspector; more are refused.
        jobs_each: after which an inspector is replaced.
        resident_bytes: an inspector that holds more than this after a job is replaced.
        child: module whose ``main`` an inspector runs.
    """

    reactor: Any
    processes: int = 2
    limits: Limits = field(factory=Limits)
    budget: Budget = field(factory=Budget)
    deadline_seconds: float = 30.0
    most_waiting: int = 100
    jobs_each: int = 500
    resident_bytes: int = 256 << 20
    child: str = "pypi.publishing.archives.child"
    _children: Children[wire.Result] = field(init=False)

    @_children.default
    def _pool(self) -> Children[wire.Result]:
        return Children(
            reactor=self.reactor,
            module=self.child,
            arguments=(json.dumps(asdict(self.limits)),),
            read=wire.read_result,
            budget=self.budget,
            processes=self.processes,
            deadline_seconds=self.deadline_seconds,
            most_waiting=self.most_waiting,
            most_received=self.limits.metadata_bytes + wire.OVERHEAD_BYTES,
            jobs_each=self.jobs_each,
            resident_bytes=self.resident_bytes,
        )

    def __repr__(self) -> str:
        return f"<Inspectors {self._children}>"

    async def start(self) -> None:
        """Have the inspectors ready before the first archive; without this, that one waits for its own."""
        await self._children.start()

    async def stop(self) -> None:
        """End every inspector; jobs under way or waiting fail. Returns when no process is left."""
        await self._children.stop()

    async def inspect(self, path: Path, filename: str) -> Contents:
        """Inspect an archive as ``archives.whole.inspect`` does, in another process.

        Args:
            path: where the file is now; it has to stay there until the answer.
            filename: what it will be called.

        Raises:
            Invalid: the archive is refused, or was the end of its inspector.
            InspectorsBusy: too many archives are waiting.
            InspectionFailed: no inspector can be started, or it cannot read the file, or the pool stopped.
        """
        try:
            result = await self._children.ask(wire.write_job(wire.Job(path, filename)), str(path))
        except ChildrenBusy:
            raise InspectorsBusy from None
        except ChildUnavailable:
            raise InspectionFailed from None
        except JobLost:
            raise took_too_much() from None
        match result:
            case wire.Failed():
                log.error("{path} cannot be inspected: {why}", path=path, why=result)
                raise InspectionFailed
            case Invalid():
                raise result
            case _:
                return result
