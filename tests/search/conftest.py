"""Indexes for searches that begin with an upload."""

from __future__ import annotations

from tests.web.conftest import new_index

__all__ = ["new_index"]
