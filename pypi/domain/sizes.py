"""Sizes in bytes, as people write them."""

from __future__ import annotations

UNITS = {"": 1, "B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
"""Bytes of each unit; the binary ones, as the public index counts."""


def show_bytes(size: int) -> str:
    """``104857600`` as ``100MB``; exact multiples only."""
    for unit in ("TB", "GB", "MB", "KB"):
        if size and size % UNITS[unit] == 0:
            return f"{size // UNITS[unit]}{unit}"
    return f"{size}"
