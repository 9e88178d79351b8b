"""``cheeseshop project``: what the operator does in the place of owners."""

from __future__ import annotations

import json

from tests.support.service import Service


def test_reads(service: Service) -> None:
    """A project is for whom the operator says, which is nothing new the second time."""
    service.sql(
        "INSERT INTO projects (name, normalized, look_alike, created) VALUES ('hush', 'hush', 'hush', now())"
    )
    done = json.loads(service.cheeseshop("project", "reads", "Hush", "roles", "--json").stdout)
    assert (done["project"], done["reads"], done["shown"]) == ("Hush", "roles", True)
    assert service.sql("SELECT reads FROM projects WHERE name = 'hush'") == [("roles",)]
    again = service.cheeseshop("project", "reads", "hush", "roles")
    assert again.stdout == "hush is read by those with a role, as before.\n"


def test_rename_and_transfer(service: Service) -> None:
    """A project is called otherwise at once, or offered to an account for a week."""
    service.sql(
        "INSERT INTO projects (name, normalized, look_alike, created)"
        " VALUES ('Old.One', 'old-one', '', now())"
    )
    done = json.loads(service.cheeseshop("project", "rename", "old.one", "new-one", "--json").stdout)
    assert (done["project"], done["new_name"], done["shown"]) == ("old.one", "new-one", True)
    assert service.sql("SELECT action, actor FROM journal WHERE serial = %s", done["serial"]) == [
        ("rename from Old.One", "operator")
    ]
    service.sql("INSERT INTO users (name, created) VALUES ('taker', now())")
    offered = service.cheeseshop("project", "transfer", "new-one", "taker")
    assert offered.stdout == "new-one is offered to taker, who has a week to accept it.\n"
    assert service.sql("SELECT role, is_transfer FROM invitations WHERE invited_by IS NULL") == [
        ("Owner", True)
    ]
