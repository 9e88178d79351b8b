"""Changes: the words mirrors parse, and the pages each can be seen on."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest

from pypi.domain.cache_tags import all_tags, tags
from pypi.domain.changes import (
    AccountChanged,
    Change,
    DescriptionsRendered,
    FileAdded,
    FileRemoved,
    NameLeft,
    ProjectCreated,
    ProjectQuarantined,
    ProjectRemoved,
    ProjectRenamed,
    QuarantineCleared,
    ReadsChanged,
    ReleaseCleared,
    ReleaseCreated,
    ReleaseQuarantined,
    ReleaseRemoved,
    ReleaseUnyanked,
    ReleaseYanked,
    RoleAdded,
    RoleChanged,
    RoleRemoved,
    StatusChanged,
)
from pypi.domain.journal_words import action, version
from pypi.domain.names import NormalizedName

WHERE: dict[str, Any] = {"project": NormalizedName("cheese-slicer"), "name": "Cheese.Slicer", "actor": "ada"}

FILES = ("files/cheese-slicer", "withheld")

CHANGES = [
    (
        ProjectCreated(**WHERE),
        "create",
        None,
        {"project/cheese-slicer", "all-projects", "search", "journal"},
    ),
    (
        RoleAdded(**WHERE, role="Maintainer", user="Bob"),
        "add Maintainer Bob",
        None,
        {"project/cheese-slicer", "all-projects", "user/bob", "journal"},
    ),
    (
        ReleaseCreated(**WHERE, version="1.0"),
        "new release",
        "1.0",
        {"project/cheese-slicer", "all-projects", "search", "journal"},
    ),
    (
        ReleaseYanked(**WHERE, version="1.0"),
        "yank release",
        "1.0",
        {"project/cheese-slicer", "all-projects", "search", "journal"},
    ),
    (
        ReleaseUnyanked(**WHERE, version="1.0"),
        "unyank release",
        "1.0",
        {"project/cheese-slicer", "all-projects", "search", "journal"},
    ),
    (
        ReleaseQuarantined(**WHERE, version="1.0", former_names=("brie",)),
        "release quarantined",
        "1.0",
        {
            *("project/cheese-slicer", "project/brie", "all-projects", "search", "journal"),
            *("files/brie", *FILES),
        },
    ),
    (
        ReleaseCleared(**WHERE, version="1.0"),
        "release quarantine cleared",
        "1.0",
        {"project/cheese-slicer", "all-projects", "search", "journal", *FILES},
    ),
    (
        AccountChanged(users=("Bob", "eve")),
        "change account",
        None,
        {"user/bob", "user/eve"},
    ),
    (
        DescriptionsRendered(projects=(NormalizedName("brie"), NormalizedName("cheese-slicer"))),
        "render descriptions",
        None,
        {"project/brie", "project/cheese-slicer"},
    ),
    (
        FileAdded(**WHERE, version="1.0", filename="cheese_slicer-1.0.tar.gz", python_version="source"),
        "add source file cheese_slicer-1.0.tar.gz",
        "1.0",
        {"project/cheese-slicer", "all-projects", "search", "journal"},
    ),
    (
        FileRemoved(**WHERE, version="1.0", filename="cheese_slicer-1.0.tar.gz"),
        "remove file cheese_slicer-1.0.tar.gz",
        "1.0",
        {"project/cheese-slicer", "all-projects", "search", "journal", *FILES},
    ),
    (
        ReleaseRemoved(**WHERE, version="1.0"),
        "remove release",
        "1.0",
        {"project/cheese-slicer", "all-projects", "search", "journal", *FILES},
    ),
    (
        ProjectRemoved(**WHERE, users=("Bob",), former_names=("brie",)),
        "remove project",
        None,
        {
            *("project/cheese-slicer", "project/brie", "all-projects", "search", "journal", "user/bob"),
            *("files/brie", *FILES),
        },
    ),
    (
        ProjectRenamed(**WHERE, before="Brie", users=("Bob",), former_names=("brie", "camembert")),
        "rename from Brie",
        None,
        {
            *("project/cheese-slicer", "project/brie", "project/camembert", "all-projects", "search"),
            *("journal", "user/bob"),
        },
    ),
    (
        NameLeft(**WHERE, now="Brie"),
        "rename to Brie",
        None,
        {"project/cheese-slicer", "all-projects", "search", "journal"},
    ),
    (
        FileAdded(**WHERE, version="1", filename="a-1.zip", python_version="source", former_names=("brie",)),
        "add source file a-1.zip",
        "1",
        {"project/cheese-slicer", "project/brie", "all-projects", "search", "journal"},
    ),
    (
        StatusChanged(**WHERE, status="archived"),
        "project archived",
        None,
        {"project/cheese-slicer", "all-projects", "search", "journal"},
    ),
    (
        ProjectQuarantined(**WHERE, users=("Bob",)),
        "project quarantined",
        None,
        {"project/cheese-slicer", "all-projects", "search", "journal", "user/bob", *FILES},
    ),
    (
        QuarantineCleared(**WHERE, users=("Bob",)),
        "project quarantine cleared",
        None,
        {"project/cheese-slicer", "all-projects", "search", "journal", "user/bob", *FILES},
    ),
    (
        ReadsChanged(**WHERE, reads="roles", before="public", users=("Bob",)),
        "remove project",
        None,
        {"project/cheese-slicer", "all-projects", "search", "journal", "user/bob", "private", *FILES},
    ),
    (
        ReadsChanged(**WHERE, reads="public", before="roles"),
        "create",
        None,
        {"project/cheese-slicer", "all-projects", "search", "journal", "private", *FILES},
    ),
    (
        ReleaseYanked(**WHERE, version="1.0", is_private=True),
        "yank release",
        "1.0",
        {"private/cheese-slicer", "journal", "private"},
    ),
    (
        FileRemoved(**WHERE, version="1.0", filename="a-1.0.zip", is_private=True, former_names=("brie",)),
        "remove file a-1.0.zip",
        "1.0",
        {"private/cheese-slicer", "private/brie", "journal", "private", "withheld"},
    ),
    (
        RoleRemoved(**WHERE, role="Owner", user="Bob"),
        "remove Owner Bob",
        None,
        {"project/cheese-slicer", "all-projects", "user/bob", "journal"},
    ),
    (
        RoleChanged(**WHERE, role="Owner", user="Bob"),
        "change Owner Bob",
        None,
        {"project/cheese-slicer", "all-projects", "user/bob", "journal"},
    ),
]


@pytest.mark.parametrize(("change", "words", "number", "seen_on"), CHANGES)
def test_changes(change: Change, words: str, number: str | None, seen_on: set[str]) -> None:
    """Every change has its words, its version if it is about one, and the tags of what shows it."""
    assert (action(change), version(change), set(tags(change))) == (words, number, seen_on)


def test_all_of_them() -> None:
    """No kind of change is forgotten here."""
    assert {type(change) for change, *_ in CHANGES} == set(get_args(Change))


@pytest.mark.parametrize("change", [change for change, *_ in CHANGES])
def test_tags_are_plain(change: Change) -> None:
    """Tags are safe in a header that separates them by blanks."""
    assert all(re.fullmatch(r"[a-z0-9:/._-]{1,200}", tag) for tag in tags(change))
    assert len(set(tags(change))) == len(tags(change))


def test_tags_of_several() -> None:
    """Changes that were made together are told of together, each tag once."""
    everything = all_tags(change for change, *_ in CHANGES)
    assert everything == (
        "all-projects",
        "files/brie",
        "files/cheese-slicer",
        "journal",
        "private",
        "private/brie",
        "private/cheese-slicer",
        "project/brie",
        "project/camembert",
        "project/cheese-slicer",
        "search",
        "user/bob",
        "user/eve",
        "withheld",
    )
