"""Content negotiation: the client's weights decide, then our order; nothing anybody sends breaks it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypi.http.negotiate import MAX_LENGTH, MAX_RANGES, MediaRange, accepted, best, takes_gzip

OFFERS = ("text/html", "application/a+html", "application/a+json")

weights = st.integers(0, 1000).map(lambda thousandths: f"{thousandths / 1000:.3f}")
names = st.sampled_from([*OFFERS, "text/*", "application/*", "*/*", "image/png"])
ranges = st.builds(lambda name, weight: f"{name};q={weight}", names, weights)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, []),
        ("", []),
        (" , ,", []),
        ("text/html", [MediaRange("text", "html", 1.0)]),
        ("Text/HTML;Q=0.5", [MediaRange("text", "html", 0.5)]),
        (
            "text/html;level=1;q=.5, */*;q=0.25",
            [MediaRange("text", "html", 0.0), MediaRange("*", "*", 0.25)],
        ),
        ("text/html ; q = 0.5 ", [MediaRange("text", "html", 0.5)]),
        ("text/html;q=1.001", [MediaRange("text", "html", 0.0)]),
        ("text/html;q=٠", [MediaRange("text", "html", 0.0)]),
        ("text, /html, text/, nonsense;q=1", []),
        ("x" * (MAX_LENGTH + 1), []),
        (",".join(["text/html"] * MAX_RANGES), [MediaRange("text", "html", 1.0)] * MAX_RANGES),
        (",".join(["text/html"] * (MAX_RANGES + 1)), []),
    ],
)
def test_reading(header: str | None, expected: list[MediaRange]) -> None:
    """What is a media range is read; what is none is passed over; a weight that is none counts as 0."""
    assert accepted(header) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "text/html"),
        ("*/*", "text/html"),
        ("application/*", "application/a+html"),
        ("application/a+json;q=0.1, application/a+html;q=0.2", "application/a+html"),
        ("text/html;q=0.1, text/*;q=0.9, application/a+json;q=0.5", "application/a+json"),
        ("application/a+json;q=0, */*", "text/html"),
        ("text/html;q=0, application/a+html;q=0, */*;q=0.1", "application/a+json"),
        ("*/*;q=0", None),
        ("image/png", None),
    ],
)
def test_choice(header: str | None, expected: str | None) -> None:
    """The most specific range gives an offer its weight; the highest weight wins; 0 excludes."""
    assert best(header, OFFERS) == expected


@given(st.lists(ranges, min_size=1, max_size=8), st.randoms())
def test_order_of_the_header_does_not_matter(members: list[str], random: object) -> None:
    """Of a header whose ranges are all different, the order says nothing."""
    unique = list({member.partition(";")[0]: member for member in members}.values())
    shuffled = sorted(unique, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert best(", ".join(unique), OFFERS) == best(", ".join(shuffled), OFFERS)


@given(st.lists(ranges, min_size=1, max_size=8))
def test_nothing_excluded_is_chosen(members: list[str]) -> None:
    """What is chosen has a weight above 0, and no other offer a higher one."""
    unique = {member.partition(";")[0]: float(member.partition("=")[2]) for member in members}
    chosen = best(", ".join(f"{name};q={weight:.3f}" for name, weight in unique.items()), OFFERS)

    def weight(offer: str) -> float:
        for name in (offer, f"{offer.partition('/')[0]}/*", "*/*"):
            if name in unique:
                return unique[name]
        return 0.0

    highest = max(map(weight, OFFERS))
    if highest == 0:
        assert chosen is None
    else:
        assert chosen == next(offer for offer in OFFERS if weight(offer) == highest)


@given(st.text())
def test_any_text(header: str) -> None:
    """Whatever a header holds, there is an answer."""
    assert best(header, OFFERS) in {*OFFERS, None}
    assert takes_gzip(header) in {True, False}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, False),
        ("", False),
        ("gzip", True),
        ("x-gzip", True),
        ("GZip;q=0.001", True),
        ("gzip;q=0", False),
        ("gzip;q=0, *;q=1", False),
        ("*;q=0.5", True),
        ("*;q=0", False),
        ("identity, br", False),
        ("gzip" + " " * MAX_LENGTH, False),
    ],
)
def test_gzip(header: str | None, expected: bool) -> None:
    """gzip is sent only to who asks for it."""
    assert takes_gzip(header) is expected
