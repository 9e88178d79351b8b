"""Descriptions that want all of a processor end as text, or harmless, and nobody else waits for them.

``test_descriptions`` has the worst of them, for each bound one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from pypi.publishing.descriptions import MOST_HTML_BYTES, Rendered, Renderer, installed_renderer
from tests.publishing.heavy import HEAVY, MARKDOWN, RST
from tests.publishing.inert import dangers
from tests.support.archives import core_metadata, wheel, wheel_filename
from tests.support.index import Index, reactor, running

PLAIN = " and will be shown as plain text."
BY_NAME = {(what, kind): text for what, kind, text in HEAVY}
WORST = [("elements in elements", MARKDOWN), ("substitutions", RST)]
"""Neither renders in its time, or in its memory."""


@pytest_twisted.async_yield_fixture(scope="module")
async def renderer() -> AsyncIterator[Renderer]:
    """As the index has it, but as patient as a busy machine may need."""
    made = Renderer(reactor=reactor, deadline_seconds=60.0, patience_seconds=120.0)
    yield made
    await made.stop()


def judge(found: Rendered, what: str) -> None:
    """Either it was rendered, and is harmless and bounded; or it is text, and the uploader is told."""
    assert found.renderer == installed_renderer(), what
    if found.html is None:
        assert len(found.warnings) == 1, what
        assert found.warnings[0].startswith("The description "), what
        assert found.warnings[0].endswith(PLAIN), what
    else:
        assert found.warnings == (), what
        assert len(found.html.encode()) <= MOST_HTML_BYTES, what


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_all(renderer: Renderer) -> None:
    """Each of many is shown as text, or rendered and harmless."""
    for what, kind, text in HEAVY:
        found = await renderer.render(text, kind)
        judge(found, what)
        assert found.html is None or len(found.html) > 300_000 or dangers(found.html) == [], what


async def test_nobody_waits(database_url: str, tmp_path: Path) -> None:
    """While hostile descriptions come in everybody else is answered; then they are published, as text."""
    async with running(database_url, tmp_path) as index:
        renderer = index.application.publisher.renderer
        renderer.patience_seconds, renderer._children.deadline_seconds = 8.0, 4.0  # as ever
        uploads = [
            Deferred.fromCoroutine(published(index, f"heavy-{n}", *one)) for n, one in enumerate(WORST)
        ]
        over: Deferred[list[None]] = gatherResults(uploads)
        meanwhile = 0
        while not over.called:
            reply = await index.ask("/simple/", {"Accept": "application/vnd.pypi.simple.v1+json"})
            assert reply.status == 200
            meanwhile += 1
        await over
        assert meanwhile > 20
        assert index.sql("SELECT count(*) FROM descriptions WHERE html IS NULL") == [(len(WORST),)]
        # A machine that was busy may have left some of them for later; they are text until then.
        page = await index.ask("/project/heavy-1/")
        assert (page.status, "|a23|" in page.text) == (200, True)


async def published(index: Index, name: str, what: str, kind: str) -> None:
    """Upload a project with a heavy description."""
    headers = [("Description-Content-Type", kind)]
    metadata = core_metadata(name, headers=headers, description=BY_NAME[what, kind])
    reply = await index.upload(wheel(name, metadata=metadata), wheel_filename(name), name=name)
    assert reply.status == 200, reply.text
