"""Versions: which are canonical, how they sort, which one is the latest (PEP 440)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from packaging.utils import canonicalize_version
from packaging.version import InvalidVersion, Version

MAX_LENGTH = 200
"""Characters; past it no filename could hold a name and tags as well."""


@lru_cache(maxsize=16384)
def parse(version: str) -> Version | None:
    """The PEP 440 version, or ``None`` for text of the days before it."""
    if len(version) > MAX_LENGTH:
        return None
    try:
        return Version(version)
    except InvalidVersion:
        return None


def canonical(version: str) -> str:
    """The spelling under which two writings of one version meet: ``1.0.0`` and ``1.0`` are both ``1``."""
    parsed = parse(version)
    return version if parsed is None else canonicalize_version(parsed)


def sort_key(version: str) -> tuple[bool, Version | str]:
    """Sorts PEP 440 versions by their order, after all text that is none."""
    parsed = parse(version)
    return (False, version) if parsed is None else (True, parsed)


def is_prerelease(version: str) -> bool:
    """Whether installers pass the version over unless asked (PEP 440 pre- and development releases)."""
    parsed = parse(version)
    return parsed is not None and parsed.is_prerelease


def latest(versions: Iterable[tuple[str, bool]]) -> str | None:
    """The version a reader means who names none.

    Args:
        versions: (version, is it yanked?) pairs.

    Returns:
        the highest that is neither yanked nor a pre-release; failing that the highest not yanked,
        failing that the highest; ``None`` of nothing.
    """
    ranked = sorted(
        versions,
        key=lambda pair: (not pair[1], not is_prerelease(pair[0]), sort_key(pair[0])),
    )
    return ranked[-1][0] if ranked else None
