"""Conditional requests: RFC 9110 §8.8 and §13, row by row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caching.conditional import (
    Conditions,
    ETag,
    Verdict,
    any_match,
    evaluate,
    http_date,
    parse_etag,
    parse_etags,
    parse_http_date,
    range_still_holds,
    strong_etag,
)

BIRTH = 784111777
IMF = "Sun, 06 Nov 1994 08:49:37 GMT"
LATER = "Sun, 06 Nov 1994 08:49:38 GMT"
EARLIER = "Sun, 06 Nov 1994 08:49:36 GMT"

opaque = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters='"').filter(
        lambda c: c < "\x7f" or c > "\x7f"
    ),
    max_size=8,
)
etags = st.builds(ETag, opaque.filter(lambda text: not any("\x80" > c > "\x7e" for c in text)), st.booleans())


def test_strong_etag_tells_bytes_apart() -> None:
    """Equal bytes have equal tags, other bytes others, and the tag is strong and well-formed."""
    assert strong_etag(b"a") == strong_etag(b"a") != strong_etag(b"b")
    tag = parse_etag(strong_etag(b"a"))
    assert tag is not None
    assert not tag.weak


@given(etags)
def test_etag_survives_being_written(tag: ETag) -> None:
    """A tag that is written and parsed is the same tag."""
    assert parse_etag(str(tag)) == tag
    assert parse_etag(str(tag).encode("latin-1")) == tag


@given(st.lists(etags, max_size=6), st.sampled_from([", ", ",", " ,\t", ",,  ,"]))
def test_list_yields_its_members(tags: list[ETag], comma: str) -> None:
    """A list of tags yields them in order, however its commas are spaced."""
    assert parse_etags(comma.join(map(str, tags))) == tags


@given(st.text(max_size=60) | st.binary(max_size=60))
def test_no_text_is_too_odd_to_parse(text: str | bytes) -> None:
    """Whatever is sent, parsing ends in a value."""
    parse_etag(text)
    parse_etags(text)
    parse_http_date(text)
    any_match(text, '"a"')


@pytest.mark.parametrize("text", ['"a', 'a"', "a", 'w/"a"', '"a b"', "", '"a""b"', 'W/ "a"', "*"])
def test_malformed_tag_is_none(text: str) -> None:
    """A tag without both quotes, with a space inside, or with a lower-case ``w/`` is no tag."""
    assert parse_etag(text) is None


def test_malformed_members_are_passed_over() -> None:
    """One bad member of a list does not spoil the good ones."""
    assert parse_etags('junk, "a", "b c", W/"d", "e"f, "g') == [ETag("a"), ETag("d", weak=True)]


def test_comma_inside_a_tag_does_not_end_it() -> None:
    """A tag may hold commas."""
    assert parse_etags('"a,b", "c"') == [ETag("a,b"), ETag("c")]


@pytest.mark.parametrize(
    ("one", "other", "strong", "weak"),
    [
        ('W/"1"', 'W/"1"', False, True),
        ('W/"1"', 'W/"2"', False, False),
        ('W/"1"', '"1"', False, True),
        ('"1"', '"1"', True, True),
    ],
)
def test_comparison_table_of_the_rfc(one: str, other: str, strong: bool, weak: bool) -> None:
    """The example table of RFC 9110 §8.8.3.2 holds, both ways round."""
    for left, right in ((one, other), (other, one)):
        assert any_match(left, right, strong=True) is strong
        assert any_match(left, right) is weak


@pytest.mark.parametrize("text", [IMF, "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"])
def test_all_three_forms_of_a_date(text: str) -> None:
    """IMF-fixdate, RFC 850 and asctime name the same moment."""
    assert parse_http_date(text) == parse_http_date(text.encode()) == BIRTH


@given(st.integers(0, 253402300799))
def test_date_survives_being_written(seconds: int) -> None:
    """A moment that is written and parsed is the same moment."""
    assert parse_http_date(http_date(seconds)) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "784111777",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Xyz 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, ٠٦ Nov 1994 08:49:37 GMT",
        f"{IMF}, {IMF}",
    ],
)
def test_what_is_no_date(text: str) -> None:
    """Other time zones, impossible days and two dates at once are no HTTP date."""
    assert parse_http_date(text) is None


@pytest.mark.parametrize(
    ("method", "conditions", "verdict"),
    [
        ("GET", Conditions(), Verdict.PROCEED),
        # If-None-Match, weakly compared
        ("GET", Conditions(if_none_match='"v1"'), Verdict.NOT_MODIFIED),
        ("HEAD", Conditions(if_none_match='"v1"'), Verdict.NOT_MODIFIED),
        ("GET", Conditions(if_none_match='W/"v1"'), Verdict.NOT_MODIFIED),
        ("GET", Conditions(if_none_match='"v0", "v1"'), Verdict.NOT_MODIFIED),
        ("GET", Conditions(if_none_match=" * "), Verdict.NOT_MODIFIED),
        ("GET", Conditions(if_none_match='"v0"'), Verdict.PROCEED),
        ("GET", Conditions(if_none_match="junk"), Verdict.PROCEED),
        ("POST", Conditions(if_none_match='"v1"'), Verdict.FAILED),
        ("PUT", Conditions(if_none_match="*"), Verdict.FAILED),
        # If-Modified-Since
        ("GET", Conditions(if_modified_since=IMF), Verdict.NOT_MODIFIED),
        ("GET", Conditions(if_modified_since=LATER), Verdict.NOT_MODIFIED),
        ("GET", Conditions(if_modified_since=EARLIER), Verdict.PROCEED),
        ("GET", Conditions(if_modified_since="junk"), Verdict.PROCEED),
        ("POST", Conditions(if_modified_since=IMF), Verdict.PROCEED),
        # If-None-Match goes before If-Modified-Since, also where it is of no use
        ("GET", Conditions(if_none_match='"v0"', if_modified_since=IMF), Verdict.PROCEED),
        ("GET", Conditions(if_none_match='"v1"', if_modified_since=EARLIER), Verdict.NOT_MODIFIED),
        ("GET", Conditions(if_none_match="junk", if_modified_since=IMF), Verdict.PROCEED),
        # If-Match, strongly compared
        ("GET", Conditions(if_match='"v1"'), Verdict.PROCEED),
        ("GET", Conditions(if_match="*"), Verdict.PROCEED),
        ("GET", Conditions(if_match='W/"v1"'), Verdict.FAILED),
        ("GET", Conditions(if_match='"v0"'), Verdict.FAILED),
        ("GET", Conditions(if_match="junk"), Verdict.FAILED),
        # If-Unmodified-Since
        ("GET", Conditions(if_unmodified_since=IMF), Verdict.PROCEED),
        ("GET", Conditions(if_unmodified_since=EARLIER), Verdict.FAILED),
        ("GET", Conditions(if_unmodified_since="junk"), Verdict.PROCEED),
        # If-Match goes before If-Unmodified-Since
        ("GET", Conditions(if_match='"v1"', if_unmodified_since=EARLIER), Verdict.PROCEED),
        ("GET", Conditions(if_match='"v0"', if_unmodified_since=LATER), Verdict.FAILED),
        # what must be fails before what may be saved
        ("GET", Conditions(if_match='"v0"', if_none_match='"v1"'), Verdict.FAILED),
        ("GET", Conditions(if_match='"v1"', if_none_match='"v1"'), Verdict.NOT_MODIFIED),
        ("GET", Conditions(if_unmodified_since=EARLIER, if_none_match='"v1"'), Verdict.FAILED),
    ],
)
def test_precedence(method: str, conditions: Conditions, verdict: Verdict) -> None:
    """Preconditions are weighed in the order of RFC 9110 §13.2.2."""
    assert evaluate(method, conditions, etag='"v1"', modified=BIRTH + 0.7) is verdict


@pytest.mark.parametrize(
    ("conditions", "verdict"),
    [
        (Conditions(if_none_match='"v1"'), Verdict.PROCEED),
        (Conditions(if_match='"v1"'), Verdict.FAILED),
        (Conditions(if_modified_since=IMF), Verdict.PROCEED),
        (Conditions(if_unmodified_since=EARLIER), Verdict.PROCEED),
    ],
)
def test_without_validators(conditions: Conditions, verdict: Verdict) -> None:
    """What has neither tag nor date is never spared, and matches no tag."""
    assert evaluate("GET", conditions) is verdict


@pytest.mark.parametrize(
    ("if_range", "holds"),
    [
        (None, True),
        ('"v1"', True),
        ('W/"v1"', False),
        ('"v0"', False),
        (IMF, True),
        (LATER, False),
        (EARLIER, False),
        ("junk", False),
        ("", False),
        ('"v1", "v2"', False),
    ],
)
def test_if_range(if_range: str | None, holds: bool) -> None:
    """A range holds for the same strong tag or the very same date, and for nothing else."""
    assert range_still_holds(if_range, etag='"v1"', modified=BIRTH + 0.7) is holds


def test_weak_validator_of_ours_holds_no_range() -> None:
    """A range of something that only has a weak tag, or none, is never continued by tag."""
    assert not range_still_holds('W/"v1"', etag='W/"v1"', modified=BIRTH)
    assert not range_still_holds('"v1"', etag=None, modified=BIRTH)


def test_conditions_join_repeated_lines() -> None:
    """A header sent in several lines is one list; a date sent twice is no date."""
    lines = {b"if-none-match": [b'"a"', b'"b"'], b"if-modified-since": [IMF.encode()] * 2}
    conditions = Conditions.of(lines.get)
    assert conditions == Conditions(if_none_match=b'"a", "b"', if_modified_since=f"{IMF}, {IMF}".encode())
    assert evaluate("GET", conditions, etag='"b"') is Verdict.NOT_MODIFIED
    only_dates = Conditions(if_modified_since=conditions.if_modified_since)
    assert evaluate("GET", only_dates, modified=BIRTH) is Verdict.PROCEED
