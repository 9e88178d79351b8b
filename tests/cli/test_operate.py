"""``cheeseshop doctor`` and ``cheeseshop migrate``."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator

import psycopg2
import pytest

from pypi.db.migrations import head
from tests.cli.sentences import sentence
from tests.support.service import SCRIPTS, Service, servers_of

HEAD = head()
"""The schema of today."""


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A TCP port of loopback that is bound, and at which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
def outside(service: Service) -> Iterator[str]:
    """The URL of an empty database of somebody's own server."""
    sockets = (service.data / "postgres" / "run").resolve()
    connection = psycopg2.connect(host=str(sockets), user="cheeseshop", dbname="postgres")
    connection.autocommit = True
    connection.cursor().execute("CREATE DATABASE outside")
    yield f"postgresql://cheeseshop@/outside?host={sockets}"
    connection.cursor().execute("DROP DATABASE outside WITH (FORCE)")
    connection.close()


def test_doctor_of_a_healthy_index(service: Service) -> None:
    """Every part answers; then come the lines that clients need."""
    said = service.cheeseshop("doctor").stdout
    checks, _, lines = said.partition("\n\n")
    assert {line.split()[0] for line in checks.splitlines()} == {"ok"}
    assert {line.split()[1].strip(":") for line in checks.splitlines()} >= {"database", "files"}
    assert "pip install --index-url http://127.0.0.1:8080/simple/ PROJECT" in lines
    assert "twine upload --repository-url http://127.0.0.1:8080/legacy/ dist/*" in lines


def test_doctor_for_programs(service: Service) -> None:
    """The same as data, with the URLs that are configured."""
    done = service.cheeseshop("doctor", "--json", CHEESESHOP_SERVICE_ORIGIN="https://index.example")
    value = json.loads(done.stdout)
    assert all(one["healthy"] for one in value["findings"])
    assert value["clients"]["uv"] == "uv pip install --index-url https://index.example/simple/ PROJECT"


def test_doctor_when_no_service_runs(stopped_service: Service) -> None:
    """The doctor starts the servers for the moment, and leaves none running."""
    assert f"ok    database: {HEAD}" in stopped_service.cheeseshop("doctor").stdout
    assert servers_of(stopped_service.data) == []


def test_doctor_without_a_database(new_service: Service, closed_port: int) -> None:
    """A database that does not answer is found, within seconds, and the status is 1."""
    url = f"postgresql://cheese:word@127.0.0.1:{closed_port}/cheese"
    done = new_service.cheeseshop("doctor", status=1, CHEESESHOP_DATABASE_URL=url)
    assert "FAIL" in done.stdout
    assert "The index's database does not answer" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert "word" not in done.stdout + done.stderr
    assert servers_of(new_service.data) == []


def test_doctor_before_the_migration(new_service: Service, outside: str) -> None:
    """A database without the schema is found, and the command that helps is named."""
    done = new_service.cheeseshop("doctor", status=1, CHEESESHOP_DATABASE_URL=outside)
    assert "FAIL  database: The database is at revision none" in done.stdout
    assert "run `cheeseshop migrate`" in done.stdout


def test_migrating_an_outside_database(new_service: Service, outside: str) -> None:
    """No command changes the schema of an outside database but the one that is for it."""
    refused = new_service.cheeseshop("user", "list", status=1, CHEESESHOP_DATABASE_URL=outside)
    assert "run `cheeseshop migrate`" in sentence(refused)
    done = new_service.cheeseshop("migrate", CHEESESHOP_DATABASE_URL=outside)
    assert done.stdout == f"empty -> {HEAD}\n"
    listed = new_service.cheeseshop("user", "list", "--json", CHEESESHOP_DATABASE_URL=outside)
    assert json.loads(listed.stdout) == []


def test_migrating_two_at_once_and_then_again(new_service: Service) -> None:
    """Of two migrations of a new data folder one does the work, and later ones have nothing to do."""
    running = [
        subprocess.Popen(
            [SCRIPTS / "cheeseshop", "migrate"],
            cwd=new_service.folder,
            env=new_service.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    ended = [(process.communicate(timeout=60), process.returncode) for process in running]
    assert sorted(ended) == [((f"{HEAD} -> {HEAD}\n", ""), 0), ((f"empty -> {HEAD}\n", ""), 0)]
    assert new_service.cheeseshop("migrate").stdout == f"{HEAD} -> {HEAD}\n"
    assert servers_of(new_service.data) == []


def test_migrating_a_database_that_does_not_answer(new_service: Service, closed_port: int) -> None:
    """The failure is one sentence and status 1."""
    url = f"postgresql://cheese:word@127.0.0.1:{closed_port}/cheese"
    done = new_service.cheeseshop("migrate", status=1, CHEESESHOP_DATABASE_URL=url)
    assert "The index's database does not answer" in sentence(done)
    assert "word" not in done.stderr
