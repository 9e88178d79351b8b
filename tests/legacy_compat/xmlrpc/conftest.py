"""An index with a few projects of which every byte is known."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_twisted

from tests.support.databases import Databases
from tests.support.index import Index, running

CATALOGUE = """
    INSERT INTO users (name, created) VALUES ('zoe', now()), ('Bob', now());
    INSERT INTO projects (name, normalized, look_alike, status, last_serial, created) VALUES
        ('Golden.Cheese', 'golden-cheese', '', 'active', 3000000012, now()),
        ('other', 'other', '', 'active', 5, now()),
        ('poison', 'poison', '', 'quarantined', 14, now()),
        ('empty', 'empty', '', 'active', 1, now());
    INSERT INTO roles (project_id, user_id, role, created)
        SELECT p.id, u.id, given.role, now() FROM (VALUES
            ('golden-cheese', 'zoe', 'Maintainer'), ('golden-cheese', 'Bob', 'Owner'),
            ('golden-cheese', 'ada', 'Owner'), ('other', 'Bob', 'Maintainer')
        ) AS given (project, name, role)
        JOIN projects p ON p.normalized = given.project JOIN users u ON u.name = given.name;
    INSERT INTO releases (project_id, version, canonical, is_prerelease, summary, metadata, yanked, created)
        SELECT p.id, given.version, c, false, 'sum', m::jsonb, y::timestamptz, at::timestamptz FROM (VALUES
            ('golden-cheese', '1.0', '1', '{"summary": "old"}', NULL, '2020-01-01 00:00:00+00'),
            ('golden-cheese', '1.10', '1.10', '{"summary": "Ein <Käse> & mehr", "author": "Ada",
              "keywords": ["a", "b"], "platform": ["any"], "project_urls": [["Home", "https://cheese.example"]],
              "requires_dist": ["other>=1"], "classifiers": ["One :: Two", "Three"],
              "requires_python": ">=3"}', NULL, '2020-01-02 00:00:00+00'),
            ('golden-cheese', '1.9', '1.9', '{}', NULL, '2020-01-03 00:00:00+00'),
            ('golden-cheese', '2.0a1', '2.0a1', '{}', NULL, '2020-01-04 00:00:00+00'),
            ('golden-cheese', '3.0', '3', '{}', '2020-02-01', '2020-01-05 00:00:00+00'),
            ('other', '1', '1', '{}', NULL, '2020-01-06 00:00:00+00'),
            ('poison', '1', '1', '{}', NULL, '2020-01-07 00:00:00+00')
        ) AS given (project, version, c, m, y, at) JOIN projects p ON p.normalized = project;
    INSERT INTO descriptions (release_id, content_type, raw)
        SELECT id, 'text/plain', E'Long <b>text</b>\\r\\nand more\\x01' FROM releases WHERE version = '1.10';
    INSERT INTO classifiers (name) VALUES ('One :: Two'), ('Three');
    INSERT INTO release_classifiers
        SELECT r.id, c.id FROM releases r CROSS JOIN classifiers c
         WHERE r.version IN ('1.10', '1.9') OR (r.version = '1' AND c.name = 'Three');
    INSERT INTO files (project_id, release_id, filename, filetype, python_version, size, md5, sha256,
                       blake2_256, comment, uploaded)
        SELECT p.id, r.id, filename, kind, python, number * 1500000000::bigint, repeat('0', 32),
               repeat(number::text, 64), repeat(number::text, 64), 'so & so', at::timestamptz
          FROM (VALUES
            (2, 'golden_cheese-1.10.tar.gz', 'sdist', 'source', '2026-02-03 04:05:06+00'),
            (1, 'golden_cheese-1.10-py3-none-any.whl', 'bdist_wheel', 'py3', '2026-02-03 04:05:06.000789+00')
        ) AS given (number, filename, kind, python, at)
        JOIN projects p ON p.normalized = 'golden-cheese' JOIN releases r ON r.version = '1.10';
    INSERT INTO journal (serial, normalized, name, version, action, actor, tags, at) VALUES
        (1, 'empty', 'empty', NULL, 'create', 'ada', '{}', '2020-01-01 00:00:00+00'),
        (2, NULL, NULL, NULL, 'something', NULL, '{}', '2020-01-02 00:00:00+00'),
        (5, 'other', 'other', '1', 'new release', 'ada', '{}', '2020-01-03 00:00:00.9+00'),
        (3000000012, 'golden-cheese', 'Golden.Cheese', '1.10', 'add source file <x>', 'ada', '{}',
         '2020-01-04 00:00:00+00');"""


@pytest_twisted.async_yield_fixture(scope="module")
async def index(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Index]:
    """The index, written behind its back."""
    url = databases.make()
    folder = tmp_path_factory.mktemp("index")
    async with running(url, folder, service__origin="https://index.example", limits__factor=0) as made:
        made.sql(CATALOGUE)
        yield made
    databases.drop(url)
