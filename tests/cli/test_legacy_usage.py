"""``cheeseshop legacy-usage``: what of the old is still used."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.service import Service

PIP = "pip/24.0 {}"
BURSTS, ROUNDS = 4, 20


def told(service: Service, *arguments: str, **more: str) -> dict[str, Any]:
    """What it prints for programs."""
    value: dict[str, Any] = json.loads(
        service.cheeseshop("legacy-usage", "--json", *arguments, **more).stdout
    )
    return value


def by_name(value: dict[str, Any]) -> dict[str, Any]:
    return {one["name"]: one for one in value["features"]}


def ask(service: Service, *requests: tuple[str, str, str]) -> None:
    """GET or POST so many paths over one connection, each by a client of its own."""
    connection = HTTPConnection(urlsplit(service.url).netloc, timeout=60)
    for method, path, agent in requests:
        connection.request(method, path, headers={"User-Agent": agent})
        connection.getresponse().read()
    connection.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running service that nobody asks anything: what it counted would be added to what is recorded."""
    running = Service(tmp_path_factory.mktemp("unused"))
    try:
        yield running.start()
        running.stop()
    finally:
        running.end()


@pytest.fixture
def used(new_service: Service) -> Service:
    """A service of two workers that was used, and stopped."""
    new_service.settings = {"SERVICE_WORKERS": "2"}
    new_service.start()
    for _ in range(BURSTS):
        ask(new_service, *[("GET", "/simple/", PIP)] * ROUNDS, ("GET", "/simple/", "Googlebot/2.1"))
        time.sleep(0.3)  # of more at once, only some are looked at
    new_service.stop()
    return new_service


def test_what_all_workers_have_counted(used: Service) -> None:
    """What workers answered, the lane above all, is kept when they stop, to the last request."""
    html = by_name(told(used))["simple.html"]
    assert html["requests"] == BURSTS * (ROUNDS + 1)
    assert html["clients"] == {"pip 24": BURSTS * ROUNDS, "Googlebot": BURSTS}
    assert html["verdict"] == "used"
    assert html["safe_to_switch_off"] is False


def rows(service: Service, *given: tuple[str, str, int, int]) -> None:
    """Have recorded (feature, family, count, days ago)."""
    now = datetime.now(UTC)
    for feature, family, count, days in given:
        seen = now - timedelta(days=days)
        service.sql(
            "INSERT INTO usage VALUES (%s, %s, %s, %s, %s)", seen.date(), feature, family, count, seen
        )


@pytest.fixture
def recorded(service: Service) -> Iterator[Service]:
    """A service with records of some months."""
    service.sql("DELETE FROM usage")
    rows(
        service,
        ("simple.json", "pip 24", 60, 2),
        ("simple.json", "uv 0", 30, 1),
        ("simple.json", "requests", 3, 1),
        ("simple.json", "curl", 2, 1),
        ("simple.json", "other", 1, 1),
        ("xmlrpc.search", "pip 9", 3, 100),
        ("xmlrpc.browse", "Googlebot", 4, 3),
    )
    yield service
    service.sql("DELETE FROM usage")


def test_for_people(recorded: Service) -> None:
    """A line for each feature that was used, the most used first; names of the others; and what to do."""
    lines = recorded.cheeseshop("legacy-usage", "--days", "10").stdout.splitlines()
    assert re.fullmatch(r"Features used from \S+ to \S+: 100 requests\.", lines[0])
    head, first, second = (re.split(r"  +", line.strip()) for line in lines[2:5])
    assert head == ["feature", "requests", "share", "last seen (UTC)", "switch off?", "top clients"]
    assert first[:3] == ["simple.json", "96", "96.0%"]
    assert first[4:] == ["no", "pip 24 (60), uv 0 (30), requests (3), 2 more"]
    assert second[:3] == ["xmlrpc.browse", "4", "4.0%"]
    assert second[4:] == ["yes: robots only", "Googlebot (4)"]
    text = "\n".join(lines)
    assert "Not used in this period; these could be switched off:" in text
    assert "xmlrpc.search" in text
    assert '[legacy]\n  off = ["xmlrpc.browse"]' in text
    assert max(map(len, lines)) <= 120


def test_a_longer_period(recorded: Service) -> None:
    """A period that goes further back finds more, and says so where it goes back too far."""
    assert by_name(told(recorded, "--days", "101"))["xmlrpc.search"]["requests"] == 3
    value = told(recorded, "--days", "200")
    assert by_name(value)["xmlrpc.changelog"]["safe_to_switch_off"] is None
    text = recorded.cheeseshop("legacy-usage", "--days", "200").stdout
    assert f"There are records since {value['recorded_since']} only" in text
    assert "Not used since there are records:" in text


def test_switches(recorded: Service) -> None:
    """What is off, and what is announced, is told."""
    settings = {
        "CHEESESHOP_LEGACY_OFF": "xmlrpc.browse",
        "CHEESESHOP_LEGACY_ANNOUNCED": "simple.json=2026-12-01/2027-06-01",
    }
    features = by_name(told(recorded, **settings))
    assert features["xmlrpc.browse"]["verdict"] == "off"
    assert features["simple.json"]["announced"] == {"deprecated": "2026-12-01", "sunset": "2027-06-01"}
    text = recorded.cheeseshop("legacy-usage", **settings).stdout
    assert "no; deprecated 2026-12-01; sunset 2027-06-01" in text
    assert "is off" in text


@pytest.mark.parametrize("days", ["0", "401", "many"])
def test_days(service: Service, days: str) -> None:
    """The period has some days, and no more than there may be records of."""
    assert "--days" in service.cheeseshop("legacy-usage", "--days", days, status=2).stderr


def test_a_feature_that_is_unknown(service: Service) -> None:
    """A configuration that names no feature stops the command with a sentence."""
    done = service.cheeseshop("legacy-usage", status=2, CHEESESHOP_LEGACY_OFF="xmlrpc.serch")
    assert "'xmlrpc.serch' is none, near it are xmlrpc.search" in done.stderr
