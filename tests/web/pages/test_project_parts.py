"""Parts of a project's page: its table of contents, its charts, its status, its install lines, its links."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from pypi.domain.metadata import Metadata
from pypi.domain.names import normalize
from pypi.domain.values import Status, Yank
from pypi.index.documents import Document
from pypi.web.pages.connect import Here
from pypi.web.pages.project.aside import LONGEST_TEXT, MOST_CLASSIFIERS, aside
from pypi.web.pages.project.charts import HEIGHT, MOST_BARS, over_time
from pypi.web.pages.project.contents import LONG, MOST, Heading, contents
from pypi.web.pages.project.head import install_lines, pinned, statuses
from pypi.web.templates import line

PADDING = f"<p>{'x' * LONG}</p>"
ORIGIN = "https://index.example"
HERE = Here(ORIGIN)


def document(version: str = "1.0", latest: str = "1.0", **values: Any) -> Document:
    """A release of a project that nothing is said about."""
    given: dict[str, Any] = {
        "name": "Cheese.Shop",
        "normalized": normalize("Cheese.Shop"),
        "status": Status.ACTIVE,
        "status_reason": "",
        "serial": 1,
        "version": version,
        "yank": None,
        "created": datetime(2026, 1, 1, tzinfo=UTC),
        "latest": latest,
        "release_count": 1,
        "file_count": 0,
        "wheel_count": 0,
        "metadata": Metadata(),
        "description": "",
        "html": None,
        "files": (),
        "roles": (),
        "releases": "",
    }
    return Document(**{**given, **values})


# --- contents -------------------------------------------------------------------------------------------


def test_contents() -> None:
    """Headings of the two highest levels are listed, by ids of their own, in them, or of their section."""
    html = (
        '<h3 id="user-content-a">A <code>b</code> &amp; c</h3>'
        '<section id="user-content-d">\n<h4>D</h4></section>'
        '<h3><a id="user-content-e" href="#"></a>E</h3>'
        '<h5 id="user-content-f">too deep</h5><h3>without an id</h3><h3 id="user-content-g"></h3>'
    )
    assert contents(html + PADDING) == (
        Heading(0, "user-content-a", "A b & c"),
        Heading(1, "user-content-d", "D"),
        Heading(0, "user-content-e", "E"),
    )


def test_a_title_of_the_whole() -> None:
    """A single heading above all others is what the page is called, and no part of its contents."""
    html = '<h2 id="t">Title</h2><h3 id="a">A</h3><h3 id="b">B</h3><h4 id="c">C</h4>'
    assert [one.text for one in contents(html + PADDING)] == ["A", "B", "C"]


def test_where_it_does_not_help() -> None:
    """What is short, or has few headings, has no table of contents."""
    html = '<h2 id="a">A</h2><h2 id="b">B</h2>'
    assert contents(html + PADDING) == ()
    assert contents(f'{html}<h2 id="c">C</h2>') == ()
    assert contents("") == ()


def test_bounds_of_contents() -> None:
    """Whatever somebody writes, little time is spent, and little is listed."""
    many = "".join(f'<h2 id="a{n}">{n}</h2><h3 id="b{n}">{n}</h3>' for n in range(2000))
    assert len(contents(many)) == MOST
    for odd in ("<h2>" * 200_000, '<section id="x">' + "<h2>x</h2>" * 100_000, "<h2 id=" * 100_000):
        assert contents(odd) == ()


# --- charts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "unit", "bars", "label"),
    [
        (date(2020, 6, 1), "month", 6, "Jan 2020"),
        (date(2023, 12, 31), "month", 48, "Jan 2020"),
        (date(2024, 1, 1), "quarter", 17, "Q1 2020"),
        (date(2031, 12, 31), "quarter", 48, "Q1 2020"),
        (date(2032, 1, 1), "year", 13, "2020"),
        (date(2100, 1, 1), "year", MOST_BARS, "2053"),
    ],
)
def test_units(last: date, unit: str, bars: int, label: str) -> None:
    """A chart has as many bars as can be read, one for each equal time from the first to the last."""
    chart = over_time([date(2020, 1, 1), last])
    assert chart is not None
    assert (chart.unit, len(chart.bars), chart.bars[0].label) == (unit, bars, label)
    assert chart.width == 10 * bars
    assert all(bar.x + bar.width <= chart.width for bar in chart.bars)


def test_heights() -> None:
    """The highest bar is as high as the drawing, and what there is can be seen."""
    chart = over_time([date(2020, 1, 1)] * 1000 + [date(2020, 3, 1)])
    assert chart is not None
    assert [(bar.count, bar.height, bar.y) for bar in chart.bars] == [
        (1000, HEIGHT, 0.0),
        (0, 0.0, HEIGHT),
        (1, 4.0, HEIGHT - 4.0),
    ]
    assert chart.most.label == "Jan 2020"


def test_next_to_nothing() -> None:
    """Where there is next to nothing to see there is no chart."""
    assert over_time([]) is None
    assert over_time([date(2020, 1, 1), date(2020, 2, 1)]) is None


def test_a_line() -> None:
    """A line goes through all counts, from the left to the right, and is flat where there are none."""
    assert line([0, 5, 10]) == "0,28 50,15 100,2"
    assert line([0, 0]) == "0,28 100,28"
    assert line([]) == ""
    assert line([3]) == "0,2"


# --- the head -------------------------------------------------------------------------------------------


def words(given: Document, *, exactly: bool = True) -> list[str]:
    return [one.word for one in statuses(given, exactly=exactly)]


def test_statuses() -> None:
    """Each status there is is said, the gravest first, and with its reason."""
    assert words(document(), exactly=False) == []
    assert words(document()) == ["Latest release"]
    assert words(document("0.9")) == ["Not the latest"]
    assert words(document("1.1rc1")) == ["Pre-release", "Another is the latest"]
    assert words(document("1.0rc1", "1.0rc1"), exactly=False) == ["Pre-release"]
    found = statuses(
        document("0.9", yank=Yank("leaks"), status=Status.ARCHIVED, status_reason="done"), exactly=True
    )
    assert [(one.kind, one.word, one.reason, one.latest) for one in found] == [
        ("bad", "Yanked", "leaks", ""),
        ("warn", "Archived", "done", ""),
        ("neutral", "Not the latest", "", "1.0"),
    ]
    assert words(document(status=Status.DEPRECATED), exactly=False) == ["Deprecated"]


def test_install_lines() -> None:
    """There is a line for each tool, with this index's URL, and with a version only where one is named."""
    texts = {one.tool: one.text for one in install_lines(document(), HERE, exactly=False)}
    assert texts == {
        "pip": "pip install --index-url https://index.example/simple/ Cheese.Shop",
        "uv": "uv add --default-index https://index.example/simple/ Cheese.Shop",
        "Poetry": "poetry source add --priority=primary cheeseshop https://index.example/simple/"
        " && poetry add Cheese.Shop",
        "PDM": "pdm config --local pypi.url https://index.example/simple/ && pdm add Cheese.Shop",
    }
    assert all(" Cheese.Shop==1.0" in one.text for one in install_lines(document(), HERE, exactly=True))


def test_what_was_released_under_a_former_name() -> None:
    """A release of before the project was renamed is installed by the name that its files have."""
    before = document(former_name="cheese-stall")
    assert words(before, exactly=False) == ["Released as cheese-stall"]
    assert all(" cheese-stall==1.0" in one.text for one in install_lines(before, HERE, exactly=True))
    assert install_lines(before, HERE, exactly=False)[0].text.endswith(" cheese-stall")
    assert pinned(before) == "cheese-stall==1.0"


def test_lines_of_what_was_taken_back() -> None:
    """Of a project whose releases are all yanked, the lines ask for one exactly; nothing else installs it."""
    lines = install_lines(document("1.0rc1", "1.0rc1", yank=Yank("leaks")), HERE, exactly=False)
    assert all(" Cheese.Shop==1.0rc1" in one.text for one in lines)
    assert "--pre" not in lines[0].text


@pytest.mark.parametrize(
    ("origin", "version", "exactly", "line"),
    [
        (
            "http://localhost:8080",
            "1.0",
            False,
            "pip install --index-url http://localhost:8080/simple/ Cheese.Shop",
        ),
        ("http://127.0.0.1", "1.0", False, "pip install --index-url http://127.0.0.1/simple/ Cheese.Shop"),
        (
            "http://10.0.0.1:80",
            "1.0",
            False,
            "pip install --index-url http://10.0.0.1:80/simple/ --trusted-host 10.0.0.1:80 Cheese.Shop",
        ),
        (ORIGIN, "1.0rc1", False, "pip install --pre --index-url https://index.example/simple/ Cheese.Shop"),
        (ORIGIN, "1.0rc1", True, "pip install --index-url https://index.example/simple/ Cheese.Shop==1.0rc1"),
        (ORIGIN, "1!1.0", True, "pip install --index-url https://index.example/simple/ 'Cheese.Shop==1!1.0'"),
        (ORIGIN, "x; rm", True, "pip install --index-url https://index.example/simple/ 'Cheese.Shop==x; rm'"),
    ],
)
def test_the_line_of_pip(origin: str, version: str, exactly: bool, line: str) -> None:
    """The line works as it is: plain HTTP, pre-releases and signs that a shell understands are seen to."""
    assert install_lines(document(version, version), Here(origin), exactly=exactly)[0].text == line


def test_pinned() -> None:
    """Without files there is nothing but the version to pin."""
    assert pinned(document()) == "Cheese.Shop==1.0"


# --- beside the description -----------------------------------------------------------------------------


def test_links() -> None:
    """Links to the web have icons by what they are called; any other address is left out."""
    said = Metadata(
        home_page="https://a.example/",
        project_urls=(
            ("Source Code", "http://b.example/"),
            ("Bug Tracker", "HTTPS://c.example/"),
            ("Odd", "javascript:alert(1)"),
            ("Mail", "mailto:a@b.example"),
            ("Anything", "https://d.example/"),
        ),
    )
    assert [(one.label, one.icon) for one in aside(said).links] == [
        ("Homepage", "home"),
        ("Source Code", "code"),
        ("Bug Tracker", "bug"),
        ("Anything", "external"),
    ]


def test_bounds_of_facts() -> None:
    """Facts are shortened, and of many classifiers it is said how many more there are."""
    found = aside(Metadata(license="x\n" * 9000, classifiers=tuple(f"A :: {n}" for n in range(500))))
    assert len(found.license) == LONGEST_TEXT
    assert sum(map(len, found.classifiers.values())) == MOST_CLASSIFIERS
    assert found.more_classifiers == 500 - MOST_CLASSIFIERS
    assert found.classifiers["A"][0] == ("0", "A :: 0")
    assert aside(Metadata(classifiers=("Alone",))).classifiers == {"Alone": [("Alone", "Alone")]}


def test_people() -> None:
    """Who wrote it is told by name, or by address where no name is given."""
    said = Metadata(author="Ada", author_email="ada@people.example", maintainer_email="bert@people.example")
    assert aside(said).people == [("Author", "Ada"), ("Maintainer", "bert@people.example")]
