"""A catalogue to search in: the large synthetic one, with the things said of projects that people look for.

Summaries, keywords, classifiers and versions of Python are put together from those of real projects
(``search_projects.jsonl``), so that each word and each classifier is about as frequent as among these; a
description is a hundred such words. Copied into a folder of its own, and made once.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Any

import psycopg2
from attrs import frozen

from benchmarks import catalogue
from benchmarks.cache import alone, cache
from benchmarks.catalogue import DEADLINE, into
from benchmarks.copying import Copying, without_indexes
from benchmarks.figure import BenchmarkFailed

FORMAT = 1
"""Changed when what is made changes."""

OF_ITS_OWN = 0.6
"""Share of the words of a summary that come from one real summary; others come from anywhere."""

WORDS_OF_DESCRIPTION = 100

TABLES = """
    CREATE TEMP TABLE said (release_id bigint, summary text, metadata jsonb, description text) ON COMMIT DROP;
    CREATE TEMP TABLE filed (release_id bigint, classifier text) ON COMMIT DROP"""
SHOWN = "SELECT release_id, normalized FROM search ORDER BY project_id"
FILL = """
    UPDATE releases r SET summary = s.summary, metadata = r.metadata || s.metadata
      FROM said s WHERE s.release_id = r.id;
    INSERT INTO descriptions (release_id, content_type, raw)
    SELECT release_id, 'text/plain', description FROM said ON CONFLICT DO NOTHING;
    INSERT INTO classifiers (name) SELECT DISTINCT classifier FROM filed ON CONFLICT DO NOTHING;
    INSERT INTO release_classifiers (release_id, classifier_id)
    SELECT release_id, c.id FROM filed JOIN classifiers c ON c.name = filed.classifier ON CONFLICT DO NOTHING;
    TRUNCATE search, findable, search_labels"""
FIND = """
    INSERT INTO search SELECT * FROM search_documents;
    INSERT INTO search_labels (name) SELECT DISTINCT unnest(names) FROM labels_meant;
    INSERT INTO findable SELECT * FROM findable_documents;
    -- As many look at a project as Zipf's law has it.
    UPDATE findable SET downloads = 3000000 / (1 + (hashint8(project_id)::bigint & 262143));
    UPDATE findable SET is_popular = true
     WHERE project_id IN (SELECT project_id FROM findable ORDER BY downloads DESC LIMIT 3000)"""


@frozen
class Real:
    """What is said of a real project."""

    name: str
    version: str
    summary: str
    keywords: Sequence[str]
    classifiers: Sequence[str]
    requires_python: str


def real_projects() -> Sequence[Real]:
    """All of them, by name."""
    lines = files("benchmarks").joinpath("search_projects.jsonl").read_text(encoding="utf-8").splitlines()
    return [Real(**json.loads(line)) for line in lines]


def kept(say: Callable[[str], None]) -> Path:
    """The data folder; made when missing, which takes minutes."""
    source = catalogue.kept("large", say)
    folder = cache() / f"searchable-{FORMAT}"
    with alone("searchable"):
        if not (folder / "complete").exists():
            say(f"Making a catalogue to search in, in {folder}")
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(source, folder / "data", ignore=shutil.ignore_patterns("run"))
            # A reactor runs but once in a process.
            command = [sys.executable, "-m", "benchmarks.searchable", folder / "data"]
            if subprocess.run(command, stdout=sys.stderr, timeout=DEADLINE, check=False).returncode:
                raise BenchmarkFailed("the catalogue to search in could not be made")
            (folder / "complete").touch()
    return folder / "data"


def fill(database_url: str) -> None:
    """Say something of every project of a synthetic index."""
    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute(TABLES)
        cursor.execute(SHOWN)
        _copy(cursor, cursor.fetchall())
        cursor.execute(FILL)
        with without_indexes(cursor, ("search", "findable")):
            cursor.execute(FIND)
    with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("VACUUM ANALYZE")


def _copy(cursor: Any, shown: Sequence[tuple[int, str]]) -> None:
    said = Copying("said", "release_id, summary, metadata, description")
    filed = Copying("filed", "release_id, classifier")
    source, real = random.Random(1), real_projects()
    words = [word for one in real for word in one.summary.replace("\\", "").split()]
    for release_id, name in shown:
        one, two = source.choice(real), source.choice(real)
        summary = _summary(source, name, one.summary, words)
        metadata = {"keywords": list(two.keywords), "requires_python": one.requires_python}
        description = " ".join(source.choices(words, k=WORDS_OF_DESCRIPTION))
        said.add(release_id, summary, _json(metadata), f"{name} {summary} {description}")
        for classifier in dict.fromkeys(one.classifiers):
            filed.add(release_id, classifier)
    said.send(cursor)
    filed.send(cursor)


def _summary(source: random.Random, name: str, real: str, words: Sequence[str]) -> str:
    kept = [word if source.random() < OF_ITS_OWN else source.choice(words) for word in real.split()]
    kept.insert(source.randrange(len(kept) + 1), source.choice(name.split("-")))
    return " ".join(kept).replace("\\", "")


def _json(metadata: Mapping[str, object]) -> str:
    return json.dumps(metadata).replace("\\", "\\\\")


if __name__ == "__main__":
    into(Path(sys.argv[1]), fill)
