"""``cheeseshop project quarantine`` and its neighbours, and ``cheeseshop yank``, on a running service."""

from __future__ import annotations

import json

import pytest

from tests.cli.sentences import sentence
from tests.clients import distributions
from tests.clients.desk import Desk
from tests.support.service import Service


@pytest.fixture(scope="module")
def desk(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A publisher's workplace, from which two releases of ``held-back`` came."""
    desk = Desk(service, tmp_path_factory.mktemp("desk"))
    desk.twine(*(distributions.wheel(desk.dist, "held-back", version) for version in ("1.0", "2.0")))
    return desk


def versions(desk: Desk, *, yanked: bool = False) -> list[str]:
    """What installers are offered of it; or what of that is yanked."""
    found = desk.listed("held-back")
    return sorted(name.split("-")[1] for name, file in found.items() if not yanked or file["yanked"])


def test_quarantine(service: Service, desk: Desk) -> None:
    """A release, and a whole project, goes into quarantine and out of it, and every worker shows that."""
    done = service.cheeseshop("project", "quarantine", "held-back", "2.0", "--reason", "Bad.", "--json")
    outcome = json.loads(done.stdout)
    assert isinstance(outcome.pop("serial"), int)
    assert outcome == {"project": "held-back", "version": "2.0", "quarantined": True, "shown": True}
    assert versions(desk) == ["1.0"]
    assert service.cheeseshop("project", "quarantine", "Held_Back").stdout.startswith(
        "Held_Back is in quarantine, by change "
    )
    assert versions(desk) == []
    service.cheeseshop("project", "clear", "held-back")
    assert versions(desk) == ["1.0"]
    service.cheeseshop("project", "clear", "held-back", "2.0")
    assert versions(desk) == ["1.0", "2.0"]
    told = service.cheeseshop("project", "history", "held-back", "--limit", "4").stdout.splitlines()
    assert [line.partition("  ")[2] for line in told] == [
        "operator let version 2.0 out of quarantine",
        "operator let the project out of quarantine",
        "operator put the project into quarantine",
        "operator put version 2.0 into quarantine (“Bad.”)",
    ]


def test_yank_of_several(service: Service, desk: Desk) -> None:
    """Several releases are yanked at once."""
    done = service.cheeseshop("yank", "held-back", "1.0", "2.0.0", "--reason", "Leaks.")
    assert done.stdout.startswith("held-back 1.0, 2.0.0 is yanked, by change ")
    assert versions(desk, yanked=True) == ["1.0", "2.0"]


def test_names(service: Service) -> None:
    """A name is prohibited and allowed again; the list says who keeps it from being taken, and why."""
    service.cheeseshop("project", "prohibit", "Not.For_You", "--reason", "A trademark.")
    listed = service.cheeseshop("project", "prohibited").stdout
    assert listed.startswith("not-for-you  since ")
    assert listed.endswith(" by operator: A trademark.\n")
    allowed = json.loads(service.cheeseshop("project", "allow", "not-for-you", "--json").stdout)
    assert allowed == {"name": "not-for-you", "kept": False, "prohibited": True}


def test_what_cannot_be(service: Service) -> None:
    """What cannot be done is said in a sentence, with status 1."""
    done = service.cheeseshop("project", "quarantine", "no-such-project", status=1)
    assert "There is no project named 'no-such-project'" in sentence(done)
