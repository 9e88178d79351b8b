"""A small catalogue for searches, and a model, which knows of no indexes, of what has to be found in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from attrs import field, frozen

from pypi.db.connection import Cursor
from pypi.db.queries import projects, releases, search
from pypi.domain import versions
from pypi.domain.names import normalize
from pypi.search.query import Operator, Query

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@frozen
class Release:
    """A release: its version, metadata, and whether it is yanked."""

    version: str
    metadata: Mapping[str, Any] = field(factory=dict)
    yanked: bool = False


@frozen
class Project:
    """A project and its releases."""

    name: str
    releases: tuple[Release, ...]
    quarantined: bool = False

    @property
    def latest(self) -> Release:
        """What is shown of it."""
        version = versions.latest([(one.version, one.yanked) for one in self.releases])
        return next(one for one in self.releases if one.version == version)


async def store(cursor: Cursor, project: Project) -> None:
    """Put a project into the tables, as publishing does."""
    row = await projects.add(cursor, project.name, now=NOW)
    assert row is not None
    for one in project.releases:
        made = await releases.add(
            cursor,
            project_id=row.id,
            version=one.version,
            summary=one.metadata.get("summary", ""),
            metadata={name: value for name, value in one.metadata.items() if name != "description"},
            now=NOW,
        )
        if "description" in one.metadata:
            await releases.describe(
                cursor,
                release_id=made.id,
                content_type="",
                raw=one.metadata["description"],
                html=None,
                renderer="",
            )
        await releases.classify(cursor, release_id=made.id, classifiers=one.metadata.get("classifiers", ()))
        if one.yanked:
            await releases.yank(cursor, [made.id], reason="", now=NOW)
    await search.refresh(cursor, row.id)
    if project.quarantined:
        await cursor.run("UPDATE projects SET status = 'quarantined' WHERE id = %(id)s", {"id": row.id})


Found = tuple[str, str]
"""Name and version."""


def expected(catalogue: Sequence[Project], query: Query) -> list[Found]:
    """What has to be found, in its order: for each field any word somewhere in it, in capitals or not."""
    found = []
    for project in catalogue:
        if project.quarantined or not project.releases:
            continue
        for version in _fitting(project, query):
            place = versions.sort_key(version)
            found.append(
                (-_score(project, query), len(project.name), normalize(project.name), place, project.name)
            )
    ranked = sorted(found, key=lambda one: one[3], reverse=True)
    ranked.sort(key=lambda one: one[:3])
    return [(one[4], str(one[3][1])) for one in ranked][: query.limit]


def _fitting(project: Project, query: Query) -> Sequence[str]:
    """The versions that are hits."""
    others = [_holds(project, one.field, one.words) for one in query.fields if one.field != "version"]
    if not query.of_versions:
        fits = all(others) if query.operator is Operator.AND else any(others)
        return [project.latest.version] if fits else []
    wanted = next(one.words for one in query.fields if one.field == "version")
    fitting = []
    for one in project.releases:
        own = any(word.lower() in one.version.lower() for word in wanted)
        fits = own and all(others) if query.operator is Operator.AND else own or any(others)
        if fits and not one.yanked:
            fitting.append(one.version)
    return fitting


def _holds(project: Project, name: str, words: Sequence[str]) -> bool:
    if name == "description":
        text = project.latest.metadata.get("description", "").lower().split()
        return any(
            all(any(told.startswith(part) for told in text) for part in word.lower().split())
            for word in words
        )
    texts = [project.name.lower(), normalize(project.name)] if name == "name" else [_text(project, name)]
    return any(spelled in text for word in words for text in texts for spelled in _spellings(name, word))


def _spellings(name: str, word: str) -> set[str]:
    """Of names any spelling is found; what is nothing but separators is no spelling."""
    other = name == "name" and any(one.isascii() and one.isalnum() for one in word)
    return {word.lower(), normalize(word)} if other else {word.lower()}


def _text(project: Project, name: str) -> str:
    metadata = project.latest.metadata
    value = metadata.get(name) or (metadata.get("license_expression", "") if name == "license" else "")
    return (", ".join(value) if isinstance(value, list) else value).lower()


def _score(project: Project, query: Query) -> int:
    """Names first: the very name, all words in it, one that begins so, one with any word; then summaries."""
    words = list(
        dict.fromkeys(w for one in query.fields if one.field in ("name", "summary") for w in one.words)
    )
    name, normalized = f"{project.name.lower()}\n{normalize(project.name)}", normalize(project.name)
    score = 32 * (normalized in {*map(normalize, words), normalize("-".join(words))})
    if any(word.lower() in name for word in words):
        score += 4 + 16 * all(word.lower() in name for word in words)
        return score + 8 * any(normalized.startswith(normalize(word)) for word in words)
    return score + 2 * all(word.lower() in _text(project, "summary") for word in words)


SIX = {"summary": "Python 2 and 3 in six lines", "author": "Ada Lovelace", "license_expression": "MIT"}

CATALOGUE = (
    Project(
        "six",
        (
            *(Release(version, SIX) for version in ("1.9.0", "1.10.0", "1.11.0rc1")),
            Release("1.12", {"summary": "Broken"}, yanked=True),
        ),
    ),
    Project("Six.Extra", (Release("0.1", {"summary": "More of six", "keywords": ["six", "milk"]}),)),
    Project("django_six", (Release("2.0.dev1", {"summary": "100% pure_django", "author": "Bob"}),)),
    Project("pysix", (Release("1.0", {"summary": "Nothing", "author_email": "ada@people.example"}),)),
    Project("zope.interface", (Release("5.0", {"summary": "Interfaces", "description": "milk curd whey"}),)),
    Project(
        "Zope-Event", (Release("1.0", {"home_page": "http://zope.example/", "platform": ["Any", "OS\\2"]}),)
    ),
    Project("curd", (Release("3", {"summary": "Ä Café für Ömer", "license": "MIT", "maintainer": "Zoë"}),)),
    Project("rotten", (Release("1.0", {"summary": "six rotten things"}, yanked=True),)),
    Project("evil-six", (Release("1.0", {"summary": "six"}),), quarantined=True),
    Project("nothing-yet", ()),
    Project("whey", (Release("1.0.0", {"summary": "It's a 'quoted' back\\slash", "description": "curd"}),)),
)
