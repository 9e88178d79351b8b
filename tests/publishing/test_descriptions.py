"""Descriptions are rendered by processes that may die; what comes out of them is harmless."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Callable
from itertools import product
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_twisted
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.task import deferLater

from pypi.publishing.children.confined import Budget
from pypi.publishing.descriptions import Rendered, Renderer, installed_renderer
from pypi.publishing.rendering import markup, wire
from pypi.publishing.rendering.wire import NotRendered
from tests.publishing.attacks import DANGEROUS, HARMLESS, HTML, MARKDOWN, RST
from tests.publishing.inert import dangers
from tests.support.archives import core_metadata, sdist, wheel, wheel_filename
from tests.support.index import Index, running

ROUGH = "tests.publishing.rough_renderer"
MARKDOWNS = ("text/markdown", "text/markdown; variant=CommonMark")
TYPES = (*MARKDOWNS, "text/x-rst", "text/plain")
PLAIN = " and will be shown as plain text."
TOO_MUCH = f"The description takes too long or too much memory to render{PLAIN}"


def plain(text: str, content_type: str = "text/x-rst") -> str:
    """Why a description does not render."""
    with pytest.raises(NotRendered) as reason:
        markup.render(text, content_type)
    return reason.value.why


@pytest_twisted.async_yield_fixture
async def renderers() -> AsyncIterator[Callable[..., Renderer]]:
    """Makes renderers that end with the test."""
    made: list[Renderer] = []

    def make(**options: Any) -> Renderer:
        made.append(Renderer(reactor=reactor, **options))
        return made[-1]

    yield make
    for renderer in made:
        await renderer.stop()


@pytest.fixture
def rough(renderers: Any) -> Callable[..., Renderer]:
    """Makes renderers whose processes obey commands, one process unless said otherwise."""
    return lambda **options: renderers(**{"child": ROUGH, "processes": 1} | options)


@pytest_twisted.async_yield_fixture(scope="module")
async def renderer() -> AsyncIterator[Renderer]:
    """One with real processes and little patience for a text, for all tests of this module."""
    made = Renderer(
        reactor=reactor,
        budget=Budget(memory_bytes=256 << 20, cpu_seconds=1),
        deadline_seconds=30.0,
        patience_seconds=60.0,
    )
    yield made
    await made.stop()


# What becomes of texts.


@pytest.mark.parametrize(
    ("content_type", "html"),
    [
        ("text/markdown", "<p><em>a</em> <del>b</del></p>\n"),
        ("text/markdown; charset=UTF-8; variant=GFM", "<p><em>a</em> <del>b</del></p>\n"),
        ("Text/Markdown;variant=Other", "<p><em>a</em> <del>b</del></p>\n"),
        ("text/markdown; variant=CommonMark", "<p><em>a</em> ~~b~~</p>\n"),
        ("text/x-rst; charset=UTF-8", "<p><em>a</em> ~~b~~</p>\n"),
        ("", "<p><em>a</em> ~~b~~</p>\n"),
        ("text/plain", "*a* ~~b~~"),
        ("text/html", "*a* ~~b~~"),
        ("no type at all", "*a* ~~b~~"),
    ],
)
def test_types(content_type: str, html: str) -> None:
    """The content type says how to read the text; the standard says what it is where it does not."""
    assert markup.render("*a* ~~b~~", content_type) == html


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("A\n=\n\n.. cheese:: brie\n", 'line 4: Unknown directive type "cheese"'),
        ("a\n\n*b", "line 3: Inline emphasis start-string without end-string"),
        ("x " * 6000, "Line 1 exceeds the line-length-limit"),
        ("", "there is nothing to show"),
        (".. only a comment", "there is nothing to show"),
        (f".. {'x' * 500}:: y\n", f'line 1: Unknown directive type "{"x" * 176}…'),
        ('.. "\x00\x1b"::\n\n.. code-block:: x\x1b[0m\n   :a\u202eb: c\n', "line 3: "),
    ],
)
def test_broken_rst(text: str, why: str) -> None:
    """The uploader hears the first complaint of docutils, with its line."""
    assert plain(text).startswith(f"does not render as reStructuredText ({why}")
    assert plain(text).isprintable()


def test_broken_rst_by_default() -> None:
    """Whoever gave no content type hears what that means."""
    assert plain("*a", "").startswith(
        "does not render as reStructuredText, the format of descriptions without a content type (line 1: "
    )


@pytest.mark.parametrize(
    "text",
    [
        ".. include:: {path}",
        ".. include:: {path}\n   :literal:",
        ".. literalinclude:: {path}",
        ".. raw:: html\n   :file: {path}",
        ".. raw:: html\n   :url: {url}",
        ".. raw:: html\n\n   <b>secret</b>",
        ".. csv-table::\n   :file: {path}",
        ".. csv-table::\n   :url: {url}",
        ".. role:: raw-html(raw)\n   :format: html\n\n:raw-html:`secret`",
        ".. math::\n   :include: {path}",
    ],
)
def test_nothing_is_included(text: str, tmp_path: Path) -> None:
    """A description brings neither files nor pages nor HTML of its own into the page."""
    secret = tmp_path / "secret"
    secret.write_text("secret")
    assert "secret" not in plain(text.format(path=secret, url=secret.as_uri())).replace(str(secret), "")


@pytest.mark.parametrize(
    "text",
    [
        ".. image:: {url}",
        ".. image:: {path}\n   :scale: 50%",
        ".. figure:: {path}\n   :figwidth: image\n\n   Caption",
        ".. figure:: {url}\n   :target: {url}",
        ".. |x| image:: {path}\n\n|x|",
        "`x <{url}>`_",
        ".. _x: {path}\n\nx_",
        ".. list-table::\n   :file: {path}\n\n   * - a",
        ".. code:: text\n   :include: {path}\n\n   a",
        "+---------------------+\n| .. include:: {path} |\n+---------------------+",
        ".. |x| include:: {path}\n\n|x|",
        ".. meta::\n   :x: {path}\n\na",
        ".. parsed-literal::\n\n   .. include:: {path}",
    ],
)
@pytest.mark.parametrize("content_type", ["text/x-rst", "text/markdown"])
async def test_nothing_is_read(renderer: Renderer, text: str, content_type: str, tmp_path: Path) -> None:
    """No picture, link or table of a file of this machine is looked at, or shown."""
    secret = tmp_path / "secret"
    secret.write_text("cheddar")
    found = await renderer.render(text.format(path=secret, url=secret.as_uri()), content_type)
    assert found.renderer
    assert "cheddar" not in (found.html or "") + "".join(found.warnings)
    assert not re.search("(src|href)=.?(file:|/)", found.html or "")


def test_roles_of_another_text() -> None:
    """The roles one text defines mean nothing in the next, even if it fails half-way."""
    before = markup.render(":code:`x`", "")
    markup.render(".. role:: cheese\n.. role:: code(emphasis)\n\n:cheese:`x` :code:`x`", "")
    plain(".. role:: bread(strong)\n.. default-role:: bread\n\n.. unknown::")
    assert 'Unknown interpreted text role "cheese"' in plain(":cheese:`x`")
    assert 'Unknown interpreted text role "bread"' in plain(":bread:`x`")
    assert markup.render(":code:`x`", "") == before
    assert markup.render("`x`", "") == "<p><cite>x</cite></p>\n"


@pytest.mark.parametrize("content_type", TYPES)
@pytest.mark.parametrize(
    "text", ["", " \n", "\x00", "a\x00&#0;&#xD800;", "\x01\x0c", "\ufeff\uffff", "é\U0001f9c0"]
)
def test_strange_characters(text: str, content_type: str) -> None:
    """HTML is text that the database can keep, whatever characters it was made from."""
    try:
        html = markup.render(text, content_type)
    except NotRendered:
        return
    assert "\x00" not in html
    assert html.encode().decode() == html


# What comes out is harmless.


@pytest.mark.parametrize("html", DANGEROUS)
def test_judge_sees_danger(html: str) -> None:
    """The judge of the tests below knows danger when it sees it."""
    assert dangers(html)


@pytest.mark.parametrize("html", HARMLESS)
def test_judge_is_fair(html: str) -> None:
    """It lets harmless pages be."""
    assert dangers(html) == []


@pytest.mark.parametrize(
    ("text", "content_type"),
    [
        *product(HTML, TYPES),
        *product(MARKDOWN, (*MARKDOWNS, "text/plain")),
        *product(RST, ("text/x-rst", "", "text/plain")),
    ],
)
def test_attacks(text: str, content_type: str) -> None:
    """No attack survives rendering, in any format."""
    try:
        html = markup.render(text, content_type)
    except NotRendered:
        return
    assert dangers(html) == []
    # Whoever reads it as HTML and writes it down again has the same: nothing is hidden in how it is written.
    assert markup._AFTER.clean(html) == html


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from((*HTML, *MARKDOWN, *RST, *"<>\"'`&;:/#=! \n\t")), max_size=8),
    st.sampled_from(TYPES),
)
def test_attacks_together(parts: list[str], content_type: str) -> None:
    """Nor do pieces of attacks that finish each other."""
    try:
        html = markup.render("".join(parts), content_type)
    except NotRendered:
        return
    assert dangers(html) == []


@pytest.mark.parametrize(
    ("text", "content_type", "target"),
    [
        ("# Soft cheese\n\n[x](#soft-cheese)", "text/markdown", "soft-cheese"),
        ("[^1]\n\n[^1]: x", "text/markdown", "fn-1"),
        ('<p id="brie">x</p>\n\n<a href=" #brie">x</a>', "text/markdown", "brie"),
        ('<p id="brie">x</p>\n\n[x](#brie)', "text/markdown; variant=CommonMark", "brie"),
        ('<p id="user-content-brie">x</p>\n\n[x](#user-content-brie)', MARKDOWNS[1], "brie"),
        ("Soft cheese\n===========\n\n`Soft cheese`_", "text/x-rst", "soft-cheese"),
        (".. _brie:\n\nx\n\nbrie_", "text/x-rst", "brie"),
    ],
)
def test_links_within(text: str, content_type: str, target: str) -> None:
    """Links within a description find their targets, which have names of their own on the page."""
    html = markup.render(text, content_type)
    assert f' id="user-content-{target}"' in html
    assert f' href="#user-content-{target}"' in html
    assert html.count(" id=") == html.count(' id="user-content-')


def test_links_elsewhere() -> None:
    """Links to other places stay as they are, and lend them no credit."""
    html = markup.render("[x](https://cheese.example/#brie)", "text/markdown")
    assert html == '<p><a href="https://cheese.example/#brie" rel="nofollow noopener ugc">x</a></p>\n'


# Processes.


async def test_render(renderer: Renderer) -> None:
    """A text becomes HTML, and the name of what made it is told."""
    assert await renderer.render("*é*\n", "text/markdown") == Rendered(
        "<p><em>é</em></p>\n", (), installed_renderer()
    )


async def test_it_gives_way(renderers: Any) -> None:
    """Whoever renders leaves a processor to those who read."""
    renderer = renderers()
    await renderer.render("*given*", "text/markdown")
    ours = psutil.Process()
    rendering = [one.nice() for one in ours.children() if renderer.child in one.cmdline()]
    assert min(19, ours.nice() + 10) in rendering


async def test_warning(renderer: Renderer) -> None:
    """A text that does not render is shown as it was written, and the uploader told why."""
    sentence = (
        "The description does not render as reStructuredText "
        '(line 2: Unknown directive type "cheese") and will be shown as plain text.'
    )
    found = await renderer.render("\n.. cheese::\n", "text/x-rst")
    assert found == Rendered(None, (sentence,), installed_renderer())


def test_installed_renderer() -> None:
    """The renderer's name tells the versions of all that has a part in the HTML."""
    libraries = [part.split()[0] for part in installed_renderer().split(", ")]
    assert libraries == ["cheeseshop", "comrak", "docutils", "nh3", "pygments", "readme-renderer"]


async def test_same_text_same_html(renderers: Any) -> None:
    """Every process makes the same HTML of a text, whatever it rendered before."""
    texts = [(text, kind) for text, kind in product((*MARKDOWN[:8], *RST[:8], *HTML[:8]), TYPES)]
    first, second = renderers(processes=1), renderers(processes=1)
    once = [await first.render(*text) for text in texts]
    again = [await second.render(*text) for text in reversed(texts)]
    assert once == again[::-1]


def nested_substitutions(depth: int) -> str:
    """A text of two to the power of ``depth`` images."""
    lines = [f"|a{depth}|\n", *(f".. |a{n}| replace:: |a{n - 1}| |a{n - 1}|" for n in range(depth, 0, -1))]
    return "\n".join((*lines, ".. |a0| image:: x\n"))


@pytest.mark.parametrize(
    ("text", "content_type"),
    [
        (nested_substitutions(24), "text/x-rst"),
        ("<div>" * 150_000, "text/markdown"),
        (f"|{'a|' * 5000}\n|{'-|' * 5000}\n" + "|a|\n" * 2000, "text/markdown"),
        (f"+{'-+' * 150}\n|{'a|' * 150}\n" * 300 + f"+{'-+' * 150}\n", "text/x-rst"),
    ],
    ids=["substitutions", "divisions", "table", "grid"],
)
async def test_too_much(renderer: Renderer, text: str, content_type: str) -> None:
    """A text that takes too long or too much memory is shown as it was written; only its process is lost."""
    assert await renderer.render(text, content_type) == Rendered(None, (TOO_MUCH,), renderer.name)
    assert (await renderer.render("*a*", content_type)).html == "<p><em>a</em></p>\n"


@pytest.mark.parametrize(
    ("text", "content_type"),
    [
        ("<!--" * 12_500, "text/markdown"),
        ("[" * 50_000, "text/markdown"),
        ("![" * 25_000, "text/markdown"),
        (">" * 2000 + "a", "text/markdown"),
        ("".join(f"{' ' * depth}- a\n" for depth in range(300)), "text/markdown"),
        ("*a " * 10_000 + "*", "text/markdown"),
        ("&" * 100_000, "text/plain"),
        ("".join(f"{'  ' * depth}- a\n\n" for depth in range(300)), "text/x-rst"),
        ("".join(f"{' ' * depth}a\n\n" for depth in range(300)), "text/x-rst"),
        ("x " * 400_000, "text/x-rst"),
        ("`" * 9_000, "text/x-rst"),
        (nested_substitutions(8), "text/x-rst"),
    ],
)
async def test_heavy(renderer: Renderer, text: str, content_type: str) -> None:
    """Heavy texts end one way or the other, and the next is rendered."""
    found = await renderer.render(text, content_type)
    assert (found.html is None) == bool(found.warnings)
    assert found.renderer == renderer.name
    assert (await renderer.render("*a*", content_type)).html in ("<p><em>a</em></p>\n", "*a*")


@pytest.mark.parametrize("text", ["x" * 10_000_000, "x" * ((1 << 20) + 1), "é" * ((1 << 19) + 1)])
async def test_too_long(rough: Any, text: str) -> None:
    """A text of more than 1 MiB is not even tried."""
    renderer = rough()
    found = await renderer.render(text, "text/plain")
    assert found == Rendered(None, (f"The description is longer than 1 MiB{PLAIN}",), renderer.name)
    assert "0 of 1 processes" in repr(renderer)


async def test_too_large(rough: Any) -> None:
    """HTML of more than 4 MiB is not kept."""
    renderer = rough()
    assert (await renderer.render(f"flood {4 << 20}", "")).html == "x" * (4 << 20)
    (warning,) = (await renderer.render(f"flood {(4 << 20) + 1}", "")).warnings
    assert warning == f"The description grows too large when it is rendered{PLAIN}"


async def test_longest_text(rough: Any) -> None:
    """A text of 1 MiB arrives whole."""
    assert (await rough().render("flood 1" + " " * ((1 << 20) - 7), "")).html == "x"


async def test_text_that_is_no_unicode(renderer: Renderer) -> None:
    """What UTF-8 cannot say becomes a question mark."""
    assert (await renderer.render("a\ud800", "text/plain")).html == "a?"


@pytest.mark.parametrize("command", ["exit 0", "exit 3", "say \0\0\0\0", "say \xff\xff\xff\xff"])
async def test_processes_gone_wrong(rough: Any, command: str) -> None:
    """A process that dies or babbles takes its text with it, and the next one is as good as new."""
    renderer = rough()
    assert await renderer.render(command, "") == Rendered(None, (TOO_MUCH,), renderer.name)
    assert (await renderer.render("flood 1", "")).html == "x"


async def test_surprises(rough: Any) -> None:
    """A renderer that stumbles over a text does not fall."""
    renderer = rough()
    before = await renderer.render("number", "")
    assert (await renderer.render("fail", "")).warnings == (f"The description cannot be rendered{PLAIN}",)
    assert await renderer.render("number", "again") == before


async def test_deadline(rough: Any) -> None:
    """A text the clock on the wall stopped is worth another try when the machine is less busy."""
    renderer = rough(deadline_seconds=2.0)
    await begins(renderer)
    assert await renderer.render("sleep 60", "") == Rendered(None, (TOO_MUCH,), "")
    await begins(renderer)


async def begins(renderer: Any) -> None:
    """Have a process render, which on a busy machine may need more time to start than texts have here."""
    for number in range(20):
        if (await renderer.render("flood 1", str(number))).html == "x":
            return
    pytest.fail("no process renders")


async def test_patience(rough: Any) -> None:
    """Nobody waits for ever for a process that others keep busy."""
    renderer = rough(patience_seconds=1.5)
    busy = Deferred.fromCoroutine(renderer.render("sleep 3", ""))
    assert await renderer.render("flood 1", "") == Rendered()
    assert await busy == Rendered()


async def test_busy(rough: Any) -> None:
    """What finds no place to wait is left for later."""
    renderer = rough(most_waiting=1)
    jobs = [Deferred.fromCoroutine(renderer.render(f"sleep 0.{n}", "")) for n in (3, 1)]
    assert await renderer.render("flood 1", "") == Rendered()
    assert [found.html for found in await gatherResults(jobs)] == ["None", "None"]
    assert (await renderer.render("flood 1", "")).html == "x"


async def test_stopped(rough: Any) -> None:
    """A stopped renderer leaves everything for later, until it is started again."""
    renderer = rough()
    pid = int((await renderer.render("number", "")).html)
    job = Deferred.fromCoroutine(renderer.render("sleep 60", ""))
    await renderer.stop()
    assert await job == Rendered()
    assert await renderer.render("flood 1", "") == Rendered()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    await renderer.start()
    assert (await renderer.render("flood 1", "")).html == "x"


async def test_process_that_cannot_start(rough: Any) -> None:
    """Without processes descriptions are left for later."""
    assert await rough(child="tests.publishing.no_such_module").render("x", "") == Rendered()


async def test_lazy(rough: Any) -> None:
    """A process is there while there is need of it, and not before."""
    renderer = rough(idle_seconds=0.3)
    await renderer.start()
    assert "0 of 1 processes" in repr(renderer)
    first = (await renderer.render("number", "")).html
    assert "1 of 1 processes, 1 idle" in repr(renderer)
    while "1 of 1 processes" in repr(renderer):
        await deferLater(reactor, 0.1, lambda: None)
    assert "0 of 1 processes" in repr(renderer)
    assert (await renderer.render("number", "again")).html != first


async def test_work_keeps_a_process(rough: Any) -> None:
    """A process at work is not idle, however long it takes."""
    renderer = rough(idle_seconds=0.1)
    first = await renderer.render("number", "")
    assert (await renderer.render("sleep 0.5", "")).html == "None"
    assert await renderer.render("number", "again") == first


async def test_same_text_once(rough: Any) -> None:
    """The same text of the same type is rendered once, by whomever and how often it is asked for."""
    renderer = rough(processes=2, idle_seconds=0.2)
    both = [Deferred.fromCoroutine(renderer.render("number", "")) for _ in range(5)]
    (first,) = set(await gatherResults(both))
    await deferLater(reactor, 1.0, lambda: None)
    assert await renderer.render("number", "") == first
    assert await renderer.render("number", "other") != first


async def test_same_text_after_its_first_asker_left(rough: Any) -> None:
    """Whoever shared a question of somebody who left gets an answer, too."""
    renderer = rough()
    first, second = (Deferred.fromCoroutine(renderer.render("sleep 0.2", "")) for _ in range(2))
    first.cancel()
    with pytest.raises(CancelledError):
        await first
    assert await second == Rendered()
    assert (await renderer.render("sleep 0.2", "")).html == "None"


async def test_memory_is_bounded(rough: Any) -> None:
    """Results are remembered as far as there is room, those used last before others."""
    renderer = rough(remembered_bytes=25_000)
    for text in ("flood 10000", "flood 10001", "flood 10000", "flood 10002"):
        await renderer.render(text, "")
    assert "2 descriptions remembered" in repr(renderer)
    await renderer.stop()
    assert (await renderer.render("flood 10000", "")).html is not None
    assert await renderer.render("flood 10001", "") == Rendered()


@pytest.mark.parametrize(
    "command",
    [
        "read {path}",
        "read /proc/self/environ",
        "traverse {path}",
        "write {path}",
        "write-library",
        "fetch http://127.0.0.1:9/",
        "fetch file://{path}",
        "resolve localhost",
        "run true",
        "system true",
    ],
)
async def test_confinement(rough: Any, command: str, tmp_path: Path) -> None:
    """A renderer that forgot itself reads no file but its libraries', writes none and reaches nobody."""
    secret = tmp_path / "secret"
    secret.write_text("secret")
    renderer = rough()
    (warning,) = (await renderer.render(command.format(path=secret), "")).warnings
    assert warning.startswith("The description PermissionError a description ")
    assert secret.read_text() == "secret"
    assert (await renderer.render("read-library", "")).html is not None


async def test_types_of_images(rough: Any, tmp_path: Path) -> None:
    """What type an image has is known without looking into files of the system."""
    types = tmp_path / "mime.types"
    types.write_text("image/cheese png\n")
    assert (await rough().render(f"guess {types}", "")).html == "image/png"


def test_frames() -> None:
    """Jobs and results survive their way through a pipe."""
    job = wire.Job("a\n\n\x00é", 'text/"x"\n')
    assert wire.read_job(wire.write_job(job)) == job
    for html in ("", "{}\n<p>é"):
        assert wire.read_result(wire.write_result(html)) == html
    reason = wire.read_result(wire.write_result(NotRendered("is\nnone")))
    assert isinstance(reason, NotRendered)
    assert reason.why == "is\nnone"


@pytest.mark.parametrize("body", [b"", b"x", b"[]\n", b"null\n", b"{}\n\xff"])
def test_babble(body: bytes) -> None:
    """What is no result is not taken for one."""
    with pytest.raises(ValueError):
        wire.read_result(body)


# Uploads.

BROKEN = "Cheese\n======\n\n.. brie::\n"
DESCRIPTIONS = "SELECT html, renderer FROM descriptions"


@pytest_twisted.async_yield_fixture
async def index(database_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    """An index that nobody has used yet."""
    async with running(database_url, tmp_path) as made:
        yield made


def described(content_type: str, description: str) -> bytes:
    """A wheel with this description."""
    headers = [("Description-Content-Type", content_type)]
    return wheel(metadata=core_metadata(headers=headers, description=description))


async def test_upload(index: Index) -> None:
    """The description of a new release is kept as HTML beside the text."""
    reply = await index.upload(described("text/markdown", "# Cheese\n"), wheel_filename())
    assert (reply.status, "Warning" in reply.text) == (200, False)
    ((html, renderer),) = index.sql(DESCRIPTIONS)
    assert html == markup.render("# Cheese\n", "text/markdown")
    assert renderer == installed_renderer()


async def test_upload_of_a_broken_description(index: Index) -> None:
    """A description that does not render is a warning, and the file is published."""
    reply = await index.upload(described("text/x-rst", BROKEN), wheel_filename())
    assert reply.status == 200
    assert (
        "Warning: The description does not render as reStructuredText (line 4: Unknown directive"
        in reply.text
    )
    assert index.sql(DESCRIPTIONS) == [(None, installed_renderer())]


async def test_upload_without_a_renderer(index: Index) -> None:
    """Nobody who could render is no reason to refuse a file; somebody may do it later."""
    await index.application.publisher.renderer.stop()
    reply = await index.upload(described("text/x-rst", BROKEN), wheel_filename())
    assert (reply.status, "Warning" in reply.text) == (200, False)
    assert index.sql(DESCRIPTIONS) == [(None, "")]


async def test_upload_of_a_further_file(index: Index) -> None:
    """The description is that of a release's first file; a further one is not even rendered."""
    await index.upload(described("text/markdown", "# Cheese\n"), wheel_filename())
    before = index.sql(DESCRIPTIONS)
    about = core_metadata(headers=[("Description-Content-Type", "text/x-rst")], description=BROKEN)
    reply = await index.upload(sdist(metadata=about), "demo-1.0.tar.gz")
    assert (reply.status, "Warning" in reply.text) == (200, False)
    assert index.sql(DESCRIPTIONS) == before
