"""What a process is told when it is started: over its pipe, as JSON, where nobody else can read it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import asdict, evolve, frozen

from pypi.config import Config, load
from pypi.config.sections import keys

FIXED = (
    *("service.port", "service.interface", "service.data", "operator.port", "operator.interface"),
    *("database.url", "redis.url", "redis.memory"),
)
"""Keys that are read when the service starts, and not when it is reloaded."""


@frozen(kw_only=True)
class Orders:
    """All that a worker needs to serve.

    Attributes:
        config: of its generation.
        origin: URL under which clients know this index, without a slash at its end.
        database_url: of the PostgreSQL that is running.
        redis_url: of the Redis that is, or may be, running.
    """

    config: Config
    origin: str
    database_url: str
    redis_url: str

    def packed(self) -> dict[str, Any]:
        """As JSON knows values."""
        return asdict(self, recurse=False) | {"config": packed(self.config)}

    @classmethod
    def unpacked(cls, values: Mapping[str, Any]) -> Orders:
        """The orders that were packed so."""
        return cls(**{**values, "config": unpacked(values["config"])})


def packed(config: Config) -> dict[str, Any]:
    """Every key, ``section.key`` → its value, as JSON knows it."""
    return {key.dotted: _plain(getattr(getattr(config, key.section), key.name)) for key in keys()}


def unpacked(values: Mapping[str, Any]) -> Config:
    """The configuration that was packed so; neither a file nor the environment is read again."""
    return load(None, environment={}, overrides=values)


def _plain(value: Any) -> Any:
    match value:
        case Path():
            return str(value)
        case tuple():
            return list(value)
        case Mapping():
            return dict(value)
    return value


def reloaded(running: Config, read: Config) -> tuple[Config, list[str]]:
    """The configuration of the next generation.

    Args:
        running: that of the service since its start.
        read: that of the file now.

    Returns:
        what was read, but for ``FIXED`` keys; and those of them whose change waits for the next start.
    """
    kept = read
    waiting = []
    for dotted in FIXED:
        section, _, name = dotted.partition(".")
        old = getattr(getattr(running, section), name)
        if getattr(getattr(read, section), name) != old:
            waiting.append(dotted)
            kept = evolve(kept, **{section: evolve(getattr(kept, section), **{name: old})})
    return kept, waiting
