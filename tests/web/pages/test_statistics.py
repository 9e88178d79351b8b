"""``/stats/``: what it counts, for people and for programs."""

from __future__ import annotations

import re

from tests.support.archives import wheel, wheel_filename
from tests.support.index import Index
from tests.web.pages.test_home import assert_sound

JSON = {"Accept": "application/json"}


async def test_nothing_yet(new_index: Index) -> None:
    """Where nothing is, nothing is counted."""
    page = await new_index.ask("/stats/")
    assert figures(page.text)[:4] == [
        ("projects", "0"),
        ("releases", "0"),
        ("files", "0"),
        ("of them wheels", "0"),
    ]
    assert "Nothing has been published yet." in page.text
    assert (await new_index.ask("/stats/", JSON)).json() == {
        "total_packages_size": 0,
        "top_packages": {},
        "projects": 0,
        "releases": 0,
        "files": 0,
        "downloads": {"last_30_days": 0, "ever": 0},
        "serial": 0,
    }
    await assert_sound(new_index, "/stats/")


async def test_counted_at_once(new_index: Index) -> None:
    """What was published is counted as soon as that is certain, in HTML and in JSON."""
    small, large = wheel("small", "1.0"), wheel("large", "1.0", files={"large.py": bytes(range(256)) * 40})
    await new_index.upload(small, wheel_filename("small", "1.0"), name="small")
    page = await new_index.ask("/stats/")
    assert figures(page.text)[:3] == [("projects", "1"), ("releases", "1"), ("files", "1")]
    await new_index.upload(large, wheel_filename("large", "1.0"), name="large")
    page = await new_index.ask("/stats/")
    assert figures(page.text)[:3] == [("projects", "2"), ("releases", "2"), ("files", "2")]
    assert re.findall(r'<a href="/project/[^"]+">([^<]+)</a>', page.text) == sorted(
        ("small", "large"), key=lambda name: -len({"small": small, "large": large}[name])
    )
    assert "serial 8" in page.text
    found = (await new_index.ask("/stats/", JSON)).json()
    assert found["total_packages_size"] == len(small) + len(large)
    assert found["top_packages"] == {"small": {"size": len(small)}, "large": {"size": len(large)}}
    assert found["serial"] == 8
    await assert_sound(new_index, "/stats/")


async def test_two_forms(new_index: Index) -> None:
    """Caches know that there are two forms; browsers get HTML, and so does who accepts anything."""
    for accept, content_type in (
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
        (None, "text/html; charset=utf-8"),
        ("image/png", "text/html; charset=utf-8"),
        ("application/json", "application/json"),
        ("text/html;q=0.5, application/json", "application/json"),
    ):
        reply = await new_index.ask("/stats/", {"Accept": accept})
        assert reply["Content-Type"] == content_type, accept
        assert "Accept" in reply["Vary"].split(", ")


async def test_bars(new_index: Index) -> None:
    """The months are twelve, this one first, and the longest bar is as long as there is room."""
    await new_index.upload(wheel(), wheel_filename())
    text = (await new_index.ask("/stats/")).text
    widths = re.findall(r'<rect width="([0-9.]+)"', text)
    assert widths == ["100.0", *["0.0"] * 11]
    assert len(re.findall(r'<th scope="row"', text)) == 12


async def test_downloads(new_index: Index) -> None:
    """Once files were downloaded, it says how often, and which the most."""
    await new_index.upload(wheel("some", "1.0"), wheel_filename("some", "1.0"), name="some")
    assert "Most downloaded" not in (await new_index.ask("/stats/")).text
    new_index.sql(
        "INSERT INTO download_days (day, count) VALUES (current_date, 1234);"
        "INSERT INTO popularity (project_id, recent, day) SELECT id, 1200, current_date FROM projects"
    )
    new_index.application.caches.ladder.memory.forget_all()
    page = (await new_index.ask("/stats/")).text
    assert ("downloads in 30 days", "1,234") in figures(page)
    assert '>some</a></td><td class="table__number">1,200</td>' in page
    assert page.index("Most downloaded") < page.index("Largest projects")
    assert (await new_index.ask("/stats/", JSON)).json()["downloads"] == {"last_30_days": 1234, "ever": 1234}


async def test_old_address(new_index: Index) -> None:
    """The address of old leads there."""
    reply = await new_index.ask("/stats")
    assert (reply.status, reply["Location"]) == (301, "/stats/")
    assert (await new_index.ask("/security"))["Location"] == "/security/"


def figures(page: str) -> list[tuple[str, str]]:
    """(word, figure) of each large number."""
    return re.findall(r'figures__word">([^<]+)</dt><dd[^>]*>([^<]+)</dd>', page)
