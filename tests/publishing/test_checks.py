"""The checks of the corridor, each on facts that are made up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from pypi.db.queries.files import KnownFile
from pypi.db.queries.projects import ProjectRow
from pypi.db.queries.releases import ReleaseRow
from pypi.domain.errors import InvalidField, Refusal
from pypi.domain.metadata import Metadata
from pypi.domain.names import NormalizedName
from pypi.domain.permissions import OPERATOR, Identity, Role
from pypi.files.spool import Spooled
from pypi.publishing import checks
from pypi.publishing.errors import (
    FilenameSpelledOtherwise,
    FilenameTaken,
    FilenameUsedUp,
    MayNotUpload,
    MetadataDisagrees,
    NameProhibited,
    NameReserved,
    NameTooSimilar,
    ProjectClosed,
    ProjectTooLarge,
    ReleaseClosed,
    SdistAlreadyThere,
    TokenOfOtherProject,
    TokenReadsOnly,
    ZipSdist,
)
from pypi.publishing.facts import Facts
from pypi.publishing.rules import Rules
from pypi.publishing.submission import Submission, usable_file

NOW = datetime(2026, 5, 1, tzinfo=UTC)
SPOOLED = Spooled(path=Path("/nowhere"), size=1000, sha256="a" * 64, blake2_256="b" * 64, md5="c" * 32)
RULES = Rules(reserved=frozenset({NormalizedName("house-name")}))
ADA = Identity(user_id=1, name="ada")
PROJECT = ProjectRow(
    id=7, name="Demo", normalized=NormalizedName("demo"), status="active", status_reason="", last_serial=1
)


def submission(filename: str = "demo-1.0-py3-none-any.whl", name: str = "demo", **more: Any) -> Submission:
    """A submission of that file."""
    values = {
        "name": name,
        "version": "1.0",
        "file": usable_file(filename),
        "python_version": "py3",
        "comment": "",
        "metadata": Metadata(metadata_version="2.4", name=name, version="1.0"),
        "spooled": SPOOLED,
    }
    return Submission(**{**values, **more})


def facts(**known: Any) -> Facts:
    """Facts around an existing project of which the uploader is Owner."""
    return Facts(**{"project": PROJECT, "role": Role.OWNER, **known})


def kinds(refusals: Iterable[Refusal]) -> list[type[Refusal]]:
    return [type(refusal) for refusal in refusals]


# Repetitions


@pytest.mark.parametrize(
    ("clash", "expected"),
    [
        (None, False),
        (KnownFile("demo-1.0-py3-none-any.whl", "a" * 64, "b" * 64), True),
        (KnownFile("demo-1.0-py2-none-any.whl", "a" * 64, "b" * 64), False),
        (KnownFile("demo-1.0-py3-none-any.whl", "0" * 64, "b" * 64), False),
        (KnownFile("demo-1.0-py3-none-any.whl", "a" * 64, "0" * 64), False),
    ],
)
def test_repetitions(clash: KnownFile | None, expected: bool) -> None:
    """Only the same bytes under the same name are a repetition."""
    assert checks.repeats(submission(), facts(clash=clash)) is expected


# Permission


def permission(known: Facts, identity: Identity = ADA, name: str = "demo") -> list[type[Refusal]]:
    return kinds(checks.of_permission(submission(name=name), known, identity, RULES))


@pytest.mark.parametrize("role", [Role.OWNER, Role.MAINTAINER, None])
@pytest.mark.parametrize("status", ["active", "deprecated", "archived", "quarantined"])
@pytest.mark.parametrize("scope", [None, 7, 8])
def test_existing_project(role: Role | None, status: str, scope: int | None) -> None:
    """An upload needs a role, a token that covers the project, and a project that is open."""
    known = facts(role=role, project=evolve(PROJECT, status=status))
    expected: list[type[Refusal]] = []
    if scope == 8:
        expected.append(TokenOfOtherProject)
    if role is None:
        expected.append(MayNotUpload)
    if status in ("archived", "quarantined"):
        expected.append(ProjectClosed)
    assert permission(known, evolve(ADA, project_id=scope)) == expected


def test_tokens_for_reading() -> None:
    """A token that is for reading only puts nothing anywhere, whatever its account may."""
    reading = evolve(ADA, token_id="0" * 16, is_read_only=True)
    assert permission(facts(role=Role.OWNER), reading) == [TokenReadsOnly]
    assert permission(Facts(project=None), reading) == [TokenReadsOnly]


def test_operator_needs_no_role() -> None:
    """The operator imports into every project that is open."""
    assert permission(facts(role=None), OPERATOR) == []
    assert permission(facts(role=None, project=evolve(PROJECT, status="archived")), OPERATOR) == [
        ProjectClosed
    ]


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("demo", {}, []),
        ("JSON", {}, [NameReserved]),
        ("house.name", {}, [NameProhibited]),
        ("demo", {"is_prohibited": True}, [NameProhibited]),
        ("demo", {"look_alike": "derno"}, [NameTooSimilar]),
        (
            "json",
            {"is_prohibited": True, "look_alike": "js0n"},
            [NameReserved, NameProhibited, NameTooSimilar],
        ),
    ],
)
def test_new_project(name: str, known: dict[str, Any], expected: list[type[Refusal]]) -> None:
    """Anybody may take a name, unless it is kept from everybody."""
    new = Facts(project=None, **known)
    assert permission(new, name=name) == expected
    assert permission(new, evolve(ADA, project_id=7), name=name) == [TokenOfOtherProject, *expected]


def test_rules_for_new_names_only() -> None:
    """A project that is there stays open, whatever became of the rules for names."""
    known = facts(is_prohibited=True, look_alike="derno", project=evolve(PROJECT, normalized="json"))
    assert permission(known, name="json") == []


# Room


def room(known: Facts, *, rules: Rules = RULES, identity: Identity = ADA, **more: Any) -> list[type[Refusal]]:
    return kinds(checks.of_file(submission(**more), known, identity, rules, NOW))


def test_room_for_the_first_file() -> None:
    """Nothing speaks against a new file of a new release."""
    assert room(Facts(project=None)) == []
    assert room(facts()) == []


def test_project_size() -> None:
    """The project may be filled to its last byte."""
    rules = evolve(RULES, max_project_size=5000)
    assert room(facts(size=4000), rules=rules) == []
    assert room(facts(size=4001), rules=rules) == [ProjectTooLarge]


def test_zip_sdists() -> None:
    """A zip is refused as sdist by default; a wheel, which is one, is not."""
    rules = evolve(RULES, zip_sdists=True)
    assert room(facts(), filename="demo-1.0.zip") == [ZipSdist]
    assert room(facts(), filename="demo-1.0.zip", rules=rules) == []


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"clash": KnownFile("demo-1.0-py3-none-any.whl", "0" * 64, "0" * 64)}, [FilenameTaken]),
        (
            {
                "clash": KnownFile("demo-1.0-py3-none-any.whl", "0" * 64, "0" * 64),
                "ever_used": "demo-1.0-py3-none-any.whl",
                "sdist": "demo-1.0.tar.gz",
            },
            [FilenameTaken],
        ),
        ({"ever_used": "demo-1.0-py3-none-any.whl"}, [FilenameUsedUp]),
        ({"ever_used": "Demo-1-py3-none-any.whl"}, [FilenameSpelledOtherwise]),
        ({"ever_used": "Demo-1.zip", "sdist": "Demo-1.zip"}, [SdistAlreadyThere]),
    ],
)
def test_names_in_use(known: dict[str, Any], expected: list[type[Refusal]]) -> None:
    """A name that is taken, was used, or is there in another spelling has one refusal, the best there is."""
    assert room(facts(**known)) == expected


@pytest.mark.parametrize(
    ("age", "days", "is_closed"),
    [
        (timedelta(days=14), 14, False),
        (timedelta(days=14, seconds=1), 14, True),
        (timedelta(days=9999), 0, False),
        (timedelta(hours=25), 1, True),
    ],
)
def test_release_that_is_closed(age: timedelta, days: int, is_closed: bool) -> None:
    """A release is open for the days the operator set, for ever with 0, and to the operator always."""
    known = facts(release=ReleaseRow(id=1, version="1.0", created=NOW - age))
    rules = evolve(RULES, release_days=days)
    assert room(known, rules=rules) == ([ReleaseClosed] if is_closed else [])
    assert room(known, rules=rules, identity=OPERATOR) == []
    # Published by a former name, it begins anew under the present one.
    left = evolve(known, is_left=True)
    assert room(left, rules=rules) == []
    assert room(evolve(left, begun_again=NOW - age), rules=rules) == ([ReleaseClosed] if is_closed else [])


# Agreement


def agreement(found: Metadata, **more: Any) -> list[Refusal]:
    return list(checks.of_agreement(submission(**more), found))


def test_agreement() -> None:
    """Form, filename and file may spell one release in different ways."""
    assert agreement(Metadata(name="Demo", version="1.0.0")) == []


@pytest.mark.parametrize(
    ("found", "sentences"),
    [
        (
            Metadata(name="other", version="1.0"),
            ["The metadata inside 'demo-1.0-py3-none-any.whl' is of 'other', not of 'demo'."],
        ),
        (Metadata(name="demo", version="1.1"), ["Version in filename should be '1.1' not '1.0'."]),
        (Metadata(name="demo", version="soon"), ["Version in filename should be 'soon' not '1.0'."]),
        (
            Metadata(),
            [
                "The metadata inside 'demo-1.0-py3-none-any.whl' is of '', not of 'demo'.",
                "Version in filename should be '' not '1.0'.",
            ],
        ),
    ],
)
def test_another_release(found: Metadata, sentences: list[str]) -> None:
    """A file of another project or version is refused."""
    refusals = [one for one in agreement(found) if isinstance(one, MetadataDisagrees)]
    assert [str(one) for one in refusals] == sentences


def test_other_metadata() -> None:
    """A form that says something else of the release is refused, field by field."""
    said = Metadata(name="demo", version="1.0", requires_python=">=3.8", requires_dist=("a",))
    found = Metadata(name="demo", version="1.0", requires_python=">=3.9", requires_dist=("b",))
    fields = [one.field for one in agreement(found, metadata=said) if isinstance(one, InvalidField)]
    assert fields == ["requires_dist", "requires_python"]
