"""What the real service notes and shows of itself, with all of its workers."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families as read
from prometheus_client.samples import Sample

from tests.support.service import ROOT, Service

OPERATIONS = ROOT / "docs" / "operations.md"
ROUNDS, CONNECTIONS = 5, 12


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of two workers."""
    made = Service(tmp_path_factory.mktemp("watched"), {"SERVICE_WORKERS": "2"})
    try:
        made.start()
        yield made
        made.stop()
    finally:
        made.end()


def ask(url: str, *paths: str) -> list[tuple[int, bytes]]:
    """Status and body of each path, over one connection."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=60)
    found = []
    for path in paths:
        connection.request("GET", path, headers={"User-Agent": "rehearsal"})
        answer = connection.getresponse()
        found.append((answer.status, answer.read()))
    connection.close()
    return found


def scraped(service: Service) -> list[Sample]:
    """All samples, from whichever worker answers."""
    ((status, text),) = ask(service.operator_url, "/metrics")
    assert status == 200
    return [one for family in read(text.decode()) for one in family.samples]


def total(samples: list[Sample], name: str, **labels: str) -> float:
    """The sum of all samples of that name with these labels."""
    return sum(one.value for one in samples if one.name == name and labels.items() <= one.labels.items())


def lines_of(path: Path, count: int) -> list[str]:
    """The lines of a log, once there are so many."""
    give_up = time.monotonic() + 60
    while len(lines := path.read_text().splitlines()) < count and time.monotonic() < give_up:
        time.sleep(0.02)
    return lines


def test_every_request_is_counted_and_logged_once(service: Service) -> None:
    """Requests to several workers, answered by lane or router, are in the metrics of all and in one log."""
    for _ in range(CONNECTIONS):
        answers = ask(service.url, *["/simple/"] * ROUNDS, "/nothing/here")
        assert [status for status, _ in answers] == [200] * ROUNDS + [404]
    asked = CONNECTIONS * (ROUNDS + 1)
    lines = lines_of(service.data / "log" / "access.log", asked)
    assert len(lines) == asked
    assert all(line.endswith('"-" "rehearsal"') for line in lines)
    assert sum(" 404 " in line for line in lines) == CONNECTIONS
    samples = scraped(service)
    assert {one.labels["worker"] for one in samples} == {"1", "2"}
    assert total(samples, "cheeseshop_workers_absent") == 0
    assert total(samples, "cheeseshop_silent_parts") == 0
    assert total(samples, "cheeseshop_requests_total") == asked
    assert total(samples, "cheeseshop_requests_total", route="/simple/", status="200") == asked - CONNECTIONS
    assert total(samples, "cheeseshop_access_log_lines_total") == asked
    assert 0 < total(samples, "cheeseshop_lane_requests_total") < asked - CONNECTIONS


def test_what_stands_behind_is_shown(service: Service) -> None:
    """Connections, caches and changes are shown of every worker."""
    samples = scraped(service)
    for name in ("database_connections_open", "memory_entries", "invalidation_last_serial", "build_info"):
        assert {one.labels["worker"] for one in samples if one.name == f"cheeseshop_{name}"} == {"1", "2"}
    assert total(samples, "cheeseshop_memory_trust", state="fresh") == 2
    assert total(samples, "cheeseshop_connections_open", listener="operator") >= 1


def test_every_metric_is_documented(service: Service) -> None:
    """``docs/operations.md`` has a line for every metric, and for nothing else."""
    ((_, text),) = ask(service.operator_url, "/metrics")
    shown = set(re.findall(r"^# HELP (cheeseshop_\w+)", text.decode(), re.MULTILINE))
    documented = set(re.findall(r"`(cheeseshop_\w+)`", OPERATIONS.read_text()))
    assert documented == shown


def test_a_log_on_standard_output(tmp_path: Path) -> None:
    """Told so, all workers write to the service's own standard output, one JSON object on a line."""
    settings = {"SERVICE_WORKERS": "2", "LOG_ACCESS": "-", "LOG_FORMAT": "json"}
    made = Service(tmp_path, settings)
    try:
        made.start()
        for _ in range(CONNECTIONS):
            ask(made.url, *["/simple/"] * ROUNDS)
        _, *lines = lines_of(made.said, 1 + CONNECTIONS * ROUNDS)
        logged = [json.loads(line) for line in lines]
        assert len(logged) == CONNECTIONS * ROUNDS
        assert {(one["request"], one["status"], one["route"], one["agent"]) for one in logged} == {
            ("GET /simple/ HTTP/1.1", 200, "/simple/", "rehearsal")
        }
        assert {one["worker"] for one in logged} <= {"1", "2"}
        assert any(one["cache"].endswith("-l1; hit") for one in logged)
        assert not (made.data / "log").exists()
        made.stop()
    finally:
        made.end()
