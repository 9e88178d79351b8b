"""What is noted of a process and shown of it, put together: the access log, counters, metrics."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from pypi import __version__
from pypi.config import Config
from pypi.http.access_log import AccessLog
from pypi.http.log_file import LogFile, LogNowhere, LogStream, Sink
from pypi.http.log_lines import Combined, Json, Lines
from pypi.http.log_writer import LogWriter
from pypi.http.observed import Observer
from pypi.http.overheard import Murmur, Overheard
from pypi.http.usage import Usage
from pypi.metrics import Heartbeat, Metrics
from pypi.web.metrics import Scrapes
from pypi.web.metrics_siblings import Siblings, beside

if TYPE_CHECKING:
    from pypi.shadow.live import Shadow

FILE = Path("log", "access.log")
"""Where the log lies in the data folder."""


@frozen(kw_only=True, eq=False)
class Watch:
    """What watches one process.

    Attributes:
        log: the access log; ``None`` where it is off.
        lane_log: what the fast lane writes to: the access log, or something in its place.
        overheard: listens to it.
        usage: of features.
        observer: is told of every request that is over.
        metrics: takes what has figures to show.
        scrapes: the room that shows them.
        heartbeat: measures the reactor.
        shadow: shows live traffic to a second server; ``None`` where there is none.
    """

    log: AccessLog | None
    lane_log: AccessLog | Murmur = field(repr=False)
    overheard: Overheard = field(repr=False)
    usage: Usage = field(repr=False)
    observer: Observer
    metrics: Metrics = field(repr=False)
    scrapes: Scrapes = field(repr=False)
    heartbeat: Heartbeat
    shadow: Shadow | None = None

    @property
    def parts(self) -> tuple[Any, ...]:
        """What has to be started before all else, and stopped after it."""
        return tuple(part for part in (self.shadow, self.lane_log, self.heartbeat) if part is not None)


def watch(config: Config, reactor: Any, *, wall: Callable[[], float], worker: str, run: Path | None) -> Watch:
    """Put it together, by the ``[log]`` section.

    Args:
        wall: POSIX seconds.
        worker: the name of this process among all that serve the same index on this machine.
        run: folder of the private sockets of all of them, ``worker-<name>.sock``; ``None`` where there are
            no others.
    """
    log = access_log(config, reactor, wall, worker)
    observer, heartbeat = Observer(reactor, log), Heartbeat(reactor)
    overheard = Overheard(Combined() if log is None else log.lines)
    lane_log = Murmur(reactor, overheard.listen, overheard.lines) if log is None else log
    if log is not None:
        log.listeners.append(overheard.listen)
    observer.usage = usage = Usage(
        observer.routes, overheard, lane_log.flush, lambda: datetime.fromtimestamp(wall(), UTC)
    )
    metrics = Metrics(version=__version__, worker=worker)
    metrics.add(observer, usage, heartbeat)
    siblings = None
    if run is not None:
        siblings = Siblings(sockets=beside(run / f"worker-{worker}.sock"), reactor=reactor)
    shadow = shadowing(config, reactor)
    if shadow is not None and log is not None:
        metrics.add(shadow)
        log.listeners.append(shadow.see)
    return Watch(
        log=log,
        lane_log=lane_log,
        overheard=overheard,
        usage=usage,
        observer=observer,
        metrics=metrics,
        scrapes=Scrapes(metrics=metrics, siblings=siblings),
        heartbeat=heartbeat,
        shadow=shadow,
    )


def access_log(config: Config, reactor: Any, wall: Callable[[], float], worker: str) -> AccessLog | None:
    """The access log by ``log.access``; one that nobody keeps where it is but for the shadow to read."""
    told = config.log
    if told.access == "off" and not _is_shadowed(config):
        return None
    lines: Lines = Json(worker) if told.format == "json" else Combined()
    path = Path(told.access) if told.access else config.service.data / FILE
    sink: Sink = LogFile(path, told.rotate_size, told.rotate_keep)
    if told.access == "-":
        sink = LogStream()
    elif told.access == "off":
        sink = LogNowhere()
    return AccessLog(lines, LogWriter(sink, reactor), reactor, wall)


def shadowing(config: Config, reactor: Any) -> Shadow | None:
    """What shows live traffic to a second server, by the ``[shadow]`` section."""
    if not _is_shadowed(config):
        return None
    # Imported here: few have a second server.
    from pypi.shadow.exchange import Server
    from pypi.shadow.live import Shadow

    return Shadow(Server.at(config.shadow.origin, reactor), config.shadow.percent, reactor)


def _is_shadowed(config: Config) -> bool:
    return bool(config.shadow.origin and config.shadow.percent)
