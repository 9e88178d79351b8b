"""The page that finds projects."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import define, evolve, field, frozen

from pypi.http.answer import Answer
from pypi.search.inquiry import PER_PAGE, Inquiry
from pypi.search.results import Project, Results
from pypi.web.pages.search import SearchPage
from pypi.web.templates import Templates
from tests.support.archives import core_metadata, wheel, wheel_filename
from tests.support.index import Index
from tests.support.keeping import until_kept
from tests.web.pages.test_home import Reader

CREATED = datetime(2026, 3, 7, 12, 30, tzinfo=UTC)

EVIL = '"><script>alert(1)</script>'

KNIFE = Project(
    name="Brie.Knife",
    normalized="brie-knife",
    version="1.2",
    summary="Cuts <soft> cheese",
    created=CREATED,
    downloads=1234,
    matched=("name", "summary", "description"),
    marked_name=(("Brie", True), (".Knife", False)),
    marked_summary=(("Cuts <soft> ", False), ("cheese", True)),
)


@define
class Finder:
    """Finds the same whatever is looked for."""

    results: Results
    asked: list[Inquiry] = field(factory=list)

    async def page(self, inquiry: Inquiry) -> Results:
        self.asked.append(inquiry)
        return evolve(self.results, page=inquiry.page)


@frozen
class Request:
    """What the route sees of a request."""

    args: dict[bytes, list[bytes]]


async def shown(results: Results, **given: str | Sequence[str]) -> str:
    """The page that shows what was found."""
    args = {
        name.encode(): [one.encode() for one in ([value] if isinstance(value, str) else value)]
        for name, value in given.items()
    }
    finder: Any = Finder(results)
    answer: Answer = await SearchPage(search=finder, templates=Templates.installed()).results(Request(args))
    assert (answer.code, answer.tags) == (200, ("search",))
    assert isinstance(answer.body, bytes)
    page = answer.body.decode()
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    assert not any(name.startswith("on") or name == "style" for name in reader.attributes)
    return page


def words(page: str) -> str:
    """The text of a page, on one line."""
    return " ".join(re.sub(r"<[^>]*>", " ", page.partition("<main")[2]).split())


async def test_hit() -> None:
    """A hit shows name, version, summary, date and why it was found; all of it is text."""
    page = await shown(Results(hits=[KNIFE], total=1), q="brie cheese")
    assert '<a class="results__name" href="/project/Brie.Knife/"><mark>Brie</mark>.Knife</a>' in page
    assert "Cuts &lt;soft&gt; <mark>cheese</mark></p>" in page
    assert '<time datetime="2026-03-07T12:30:00Z"' in page
    for text in ("1 project for “brie cheese”", "1.2", "1,234 downloads in 30 days"):
        assert text in words(page)
    assert "Found in name, summary and description" in words(page)
    assert "<title>brie cheese · Search · Cheeseshop</title>" in page


async def test_hostile_texts() -> None:
    """Nothing that projects or readers say is markup."""
    hit = evolve(
        KNIFE,
        name=EVIL,
        version=EVIL,
        summary=EVIL,
        matched=(EVIL,),
        marked_name=((EVIL, True),),
        marked_summary=((EVIL, False), (EVIL, True)),
    )
    results = Results(
        hits=[hit],
        total=1,
        classifiers=((EVIL, 1), (f"{EVIL} :: {EVIL}", 1)),
        pythons=((EVIL, 1),),
        near=(EVIL,),
    )
    page = await shown(results, q=EVIL, c=[EVIL])
    assert page.count("<script") == page.count('<script type="module" src="/static/') == 1
    assert page.count("&lt;script&gt;") > 10


@pytest.mark.parametrize(
    ("total", "more", "number", "said"),
    [
        (1000, True, 1, "1–20 of more than 1,000 projects"),
        (45, False, 3, "41–60 of 45 projects"),
        (1, False, 1, "1 project"),
        (20, False, 1, "20 projects"),
    ],
)
async def test_how_many(total: int, more: bool, number: int, said: str) -> None:
    """The page says how many there are, as far as anybody has counted."""
    hits = [KNIFE] * min(total, PER_PAGE)
    last = -(-total // PER_PAGE)
    page = await shown(Results(hits=hits, total=total, more=more, last=last), q="x", page=str(number))
    assert said in words(page)


async def test_pages() -> None:
    """Links lead to the pages of the same question, and search engines are told of them."""
    results = Results(hits=[KNIFE] * PER_PAGE, total=100, last=5)
    page = await shown(results, q="x", c=["A"], page="2")
    for link in (
        "/search/?q=x&amp;c=A",
        "/search/?q=x&amp;c=A&amp;page=3",
        "/search/?q=x&amp;c=A&amp;page=5",
    ):
        assert f'href="{link}"' in page
    assert 'aria-current="page"' in page
    assert '<link rel="next" href="/search/?q=x&amp;c=A&amp;page=3">' in page
    assert '<meta name="robots" content="noindex, follow">' in page
    assert '<ol class="results" start="21">' in page


async def test_filters() -> None:
    """What was chosen can be removed, and everything else chosen, by links and by a form."""
    results = Results(
        hits=[KNIFE],
        total=1,
        classifiers=(("Topic", 9), ("Topic :: Internet", 1234)),
        pythons=(("3.13", 1000), ("3.12", 7)),
        with_wheels=5,
    )
    page = await shown(results, q="x", c=["Topic :: Internet"], python="3.12", wheels="1", o="date")
    assert 'href="/search/?q=x&amp;python=3.12&amp;wheels=1&amp;o=date" rel="nofollow"><span' in page
    assert "<details open>" in page
    assert '<option value="3.13">3.13 (1,000)</option>' in page
    assert '<option value="3.12" selected>3.12 (7)</option>' in page
    assert '<input type="checkbox" name="wheels" value="1" checked>' in page
    assert '<input type="hidden" name="c" value="Topic :: Internet">' in page
    assert '<input type="hidden" name="o" value="date">' in page
    assert 'href="/search/?q=x&amp;c=Topic&amp;python=3.12&amp;wheels=1&amp;o=date"' in page
    assert "Remove all" in page
    assert "Internet 1,234" in words(page)


async def test_python_that_nothing_runs_on() -> None:
    """The version that was asked for stays chosen."""
    page = await shown(Results(pythons=(("3.13", 1),)), python="2.3")
    assert "<option selected>2.3</option>" in page


async def test_nothing_found() -> None:
    """Where nothing is found, the page says what was looked for, what is close to it, and where to go on."""
    page = await shown(Results(near=("requests", "request")), q="requets", wheels="1")
    assert "No projects for “requets”" in words(page)
    assert "Did you mean requests , request ?" in words(page)
    assert 'href="/project/requests/"' in page
    assert '<a href="/search/?q=requets">Search without filters</a>' in page
    assert 'href="/classifiers/"' in page


async def test_beyond_the_last_page() -> None:
    """A page that is not there leads to the first."""
    page = await shown(Results(total=30, last=2), q="x", page="7")
    assert "There is no page 7 of them." in words(page)
    assert '<a href="/search/?q=x">See the first</a>' in page


async def publish(index: Index, name: str, summary: str, headers: Any = ()) -> None:
    metadata = core_metadata(name, headers=[("Summary", summary), *headers])
    reply = await index.upload(wheel(name, metadata=metadata), wheel_filename(name), name=name)
    assert reply.status == 200, reply.text


async def test_words(new_index: Index) -> None:
    """What has the words is found, as soon as it was published, and leads to its page."""
    await publish(new_index, "Brie.Knife", "Cuts <soft> cheese")
    assert "No projects" in (await new_index.ask("/search/?q=granite")).text
    await publish(new_index, "stone", "Hard granite")
    page = await new_index.ask("/search/?q=granite")
    assert (page.status, page["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "1 project for “granite” " in words(page.text)
    assert "Hard granite" in words(page.text)
    assert "Hard <mark>granite</mark>" in page.text
    found = await new_index.ask("/search/?q=brie+cheese")
    assert "Brie.Knife 1.0 Cuts &lt;soft&gt; cheese" in words(found.text).replace(" .", ".")
    assert "stone" not in found.text


async def test_classifier(new_index: Index) -> None:
    """Without words, what has a classifier is shown, or one below it."""
    await publish(new_index, "one", "One", [("Classifier", "Programming Language :: Python :: 3 :: Only")])
    await publish(new_index, "two", "Two", [("Classifier", "Framework :: Twisted")])
    page = (await new_index.ask("/search/?c=Programming+Language+%3A%3A+Python")).text
    assert "/project/one/" in page
    assert "/project/two/" not in page
    assert "/project/two/" in (await new_index.ask("/search/?c=Framework+%3A%3A+Twisted")).text
    assert "No projects" in (await new_index.ask("/search/?c=Framework+%3A%3A+Twi")).text


@pytest.mark.parametrize(
    "old", ["/pypi?:action=browse&c=533", "/pypi?%3Aaction=browse&show=all&c=533", "/search?c={0}&o=-created"]
)
async def test_old_addresses(index: Index, name: str, old: str) -> None:
    """Old addresses that browsed lead to what has their classifiers, in one hop."""
    classifier = "Programming Language :: Python :: 3"
    await publish(index, name, "One", [("Classifier", classifier)])
    led = await index.ask(old.format("Programming+Language+::+Python+::+3"))
    assert led.status == 301
    page = await index.ask(led["Location"].removeprefix(f"http://127.0.0.1:{index.port}"))
    assert page.status == 200
    assert f"/project/{name}/" in page.text
    assert f"Remove the filter {classifier} ×" in words(page.text)


async def test_both(new_index: Index) -> None:
    """What has all words and all classifiers is shown, and can be narrowed further."""
    await publish(new_index, "one", "Fine cheese", [("Classifier", "Framework :: Twisted")])
    await publish(new_index, "two", "Fine cheese", [("Classifier", "Topic :: Internet :: WWW/HTTP")])
    page = (await new_index.ask("/search/?q=cheese&c=Topic&wheels=1")).text
    assert "/project/two/" in page
    assert "/project/one/" not in page
    [link] = re.findall(r'href="([^"]+)" rel="nofollow">WWW/HTTP<', page)
    narrowed = await new_index.ask(link.replace("&amp;", "&"))
    assert "1 project for “cheese”" in words(narrowed.text)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?",
        "?q=",
        "?q=+",
        "?q=the",
        "?q=%ff",
        "?q=%25&page=9",
        "?q='&o=-created",
        "?q=x&o=sideways&page=many&wheels=perhaps",
        "?c=&python=&page=",
        "?x",
    ],
)
async def test_little_to_look_for(index: Index, query: str) -> None:
    """Whatever is asked, there is a page with a form."""
    page = await index.ask(f"/search/{query}")
    assert page.status == 200
    assert 'action="/search/"' in page.text


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?q=" + "+".join(f"word{number}" for number in range(60)), "A search has at most"),
        ("?q=cheese&python=4", "A version of Python is written like 3.12."),
        ("?q=cheese&" + "&".join(f"c={number}" for number in range(30)), "at most 10 classifiers"),
    ],
)
async def test_too_much(index: Index, query: str, sentence: str) -> None:
    """What nobody can look for is refused on a page that says why, and has the words to begin anew with."""
    page = await index.ask(f"/search/{query}")
    assert (page.status, page["Cache-Control"]) == (400, "private, no-store")
    assert sentence in words(page.text)
    assert re.search('name="q" type="search" value="(cheese|word0 word1 .*)"', page.text)
    assert '<a href="/classifiers/">' in page.text
    assert ('<a href="/search/?q=cheese">Search for “cheese” alone</a>' in page.text) == ("cheese" in query)


async def test_kept(index: Index) -> None:
    """The same question is answered out of memory, however it is asked."""
    await until_kept(index, "/search/?q=kept&c=B&c=A")
    for same in ("?x=y&q=kept&c=A&c=B", "?c=B&q=+KEPT&c=A&c=A&page=1&o=&python=&wheels=0"):
        again = await index.ask(f"/search/{same}")
        assert (again.status, again["Cache-Status"]) == (200, "cheeseshop-l1; hit"), same
    other = await index.ask("/search/?q=kept&c=A")
    assert "hit" not in other["Cache-Status"]
