"""Fixtures every test may use; those of one room live beside its tests."""

from __future__ import annotations

import inspect

import pytest
import pytest_twisted


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run every ``async def test_…`` on the Twisted reactor, without a decorator on each."""
    for item in items:
        function = getattr(item, "function", None)
        if inspect.iscoroutinefunction(function):
            pytest_twisted.ensureDeferred(function)
