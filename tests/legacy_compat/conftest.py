"""Indexes for the tests of the old world: those of the rooms."""

from __future__ import annotations

from tests.web.conftest import index, name

__all__ = ["index", "name"]
