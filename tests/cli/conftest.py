"""A running service whose data folder the commands work on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.service import Service


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running service; tests do not disturb each other, since each has accounts and projects of its own."""
    running = Service(tmp_path_factory.mktemp("service"))
    try:
        yield running.start()
        running.stop()
    finally:
        running.end()


@pytest.fixture
def new_service(tmp_path: Path) -> Iterator[Service]:
    """A service that was never started, with a data folder of its own; nothing of it is left running."""
    made = Service(tmp_path)
    yield made
    made.end()


@pytest.fixture(scope="session")
def data_of_one_that_ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a service that was started and stopped; to be copied."""
    service = Service(tmp_path_factory.mktemp("ran"))
    try:
        service.start()
        service.stop()
    finally:
        service.end()
    return service.data


@pytest.fixture
def stopped_service(data_of_one_that_ran: Path, tmp_path: Path) -> Iterator[Service]:
    """A service that ran before, with a data folder of its own; nothing of it is left running."""
    made = Service(tmp_path)
    shutil.copytree(data_of_one_that_ran, made.data, ignore=shutil.ignore_patterns("run"))
    yield made
    made.end()
