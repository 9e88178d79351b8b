"""Reading calls: what clients send is understood, and nothing else is."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from xmlrpc.client import Binary, DateTime, Fault, dumps

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from legacy_compat.xmlrpc import calls
from legacy_compat.xmlrpc.calls import Call, parse
from legacy_compat.xmlrpc.faults import NO_SUCH_METHOD, PARSE_ERROR

DECLARATION = "<?xml version='1.0'?>"

texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=20)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 31), (1 << 31) - 1)
    | st.floats(allow_nan=False, allow_infinity=False, min_value=-1e90, max_value=1e90)
    | texts
    | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def call_of(parameters: str, *, before: str = DECLARATION, method: str = "m") -> bytes:
    """A call with parameters written by hand."""
    name = f"<methodName>{method}</methodName>"
    return f"{before}<methodCall>{name}<params>{parameters}</params></methodCall>".encode()


def value_of(text: str) -> Any:
    """A value written by hand, read."""
    return parse(call_of(f"<param><value>{text}</value></param>")).arguments[0]


@given(arguments=st.lists(values, max_size=3))
@settings(max_examples=150, deadline=None)
def test_what_pythons_client_sends(arguments: list[Any]) -> None:
    """Whatever Python's own client can send arrives as it was."""
    body = dumps(tuple(arguments), "some.method", allow_none=True).encode()
    assert parse(body) == Call("some.method", tuple(arguments))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("", ""),
        ("<string/>", ""),
        ("<string>a &lt; b &#8230; <![CDATA[<c>]]></string>", "a < b … <c>"),
        (" <int> 5 </int> ", 5),
        ("<i4>-5</i4>", -5),
        ("<i8>3000000000</i8>", 3000000000),
        ("<int>9223372036854775807</int>", (1 << 63) - 1),
        ("<double>-1.5e3</double>", -1500.0),
        ("<boolean>1</boolean>", True),
        ("<nil/>", None),
        ("<ex:nil/>", None),
        ("<base64>\nYWJj\n</base64>", b"abc"),
        (
            "<dateTime.iso8601>20261121T08:09:10</dateTime.iso8601>",
            datetime(2026, 11, 21, 8, 9, 10, tzinfo=UTC),
        ),
        ("<array><data/></array>", []),
        ("<struct/>", {}),
        ("<struct><member><name>a</name><value>b</value></member></struct>", {"a": "b"}),
        ("<!-- a comment --><int>1</int>", 1),
    ],
)
def test_values(text: str, value: object) -> None:
    """Every type of the specification is read, and the common extensions."""
    assert value_of(text) == value


def test_dates_and_binaries_of_pythons_client() -> None:
    """The client's own types arrive as Python's."""
    body = dumps((DateTime("20261121T00:00:00"), Binary(b"x")), "m").encode()
    assert parse(body).arguments == (datetime(2026, 11, 21, tzinfo=UTC), b"x")


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("utf-8", "utf-8"),
        ("ISO-8859-1", "latin-1"),
        ("windows-1252", "cp1252"),
        ("us-ascii", "utf-8"),
        ("UTF-16", "utf-16"),
    ],
)
def test_encodings(declared: str, codec: str) -> None:
    """A document may be in one of the encodings that were in use."""
    text = f"<?xml version='1.0' encoding='{declared}'?>"
    name = "Käse" if codec != "utf-8" or declared != "us-ascii" else "Kaese"
    body = call_of(f"<param><value>{name}</value></param>", before=text).decode().encode(codec)
    assert parse(body).arguments == (name,)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"no XML",
        b"\x00",
        b"\xff\xfe",
        b"<methodCall>",
        call_of("<param><value>a</value></param>")[:-3],
        b"\n" + call_of(""),
        call_of("").replace(b"m<", b"m\x00<"),
        call_of("<param><value>a\x00</value></param>"),
        call_of("<param><value>&#0;</value></param>"),
        call_of("<param><value>&#xD800;</value></param>"),
        call_of("<param><value>&unknown;</value></param>"),
        b"<methodCall><methodName>m</methodName></methodCall><more/>",
        DECLARATION.encode() + b"<methodResponse><params/></methodResponse>",
        call_of("<value>outside</value>"),
        call_of("<param><value><int>1</int><int>2</int></value></param>"),
        call_of("<param><value><struct><member><name>a</name></member></struct></value></param>"),
        call_of("<param><value><struct><member><value>a</value></member></struct></value></param>"),
        call_of("<param><value><unknown/></value></param>"),
        call_of("<param><value><int/></value></param>"),
        call_of("<param><value><int>1_000</int></value></param>"),
        call_of("<param><value><int>\u0661</int></value></param>"),
        call_of("<param><value><int>9223372036854775808</int></value></param>"),
        call_of(f"<param><value><int>{'9' * 5000}</int></value></param>"),
        call_of("<param><value><double>nan</double></value></param>"),
        call_of("<param><value><double>1e5000</double></value></param>"),
        call_of("<param><value><boolean>yes</boolean></value></param>"),
        call_of("<param><value><base64>a</base64></value></param>"),
        call_of("<param><value><dateTime.iso8601>20261399T00:00:00</dateTime.iso8601></value></param>"),
        call_of("", before="<?xml version='1.0' encoding='utf-7'?>"),
        call_of("", before="<?xml version='1.0' encoding='rot13'?>"),
        call_of("", before="<?xml version='1.0' encoding='no-such-thing'?>"),
        call_of("<param><value>K\u00e4se</value></param>").decode().encode("latin-1"),
        call_of("", before="<?xml version='1.0'?><?php exit ?>"),
        call_of("", before="<?xml version='1.0'?><?xml-stylesheet href='http://evil.example/'?>"),
    ],
    ids=lambda body: repr(body[:60]),
)
def test_what_is_no_call(body: bytes) -> None:
    """Whatever is not plainly a call is refused in the words for it."""
    with pytest.raises(Fault) as caught:
        parse(body)
    assert caught.value.faultCode == PARSE_ERROR
    assert caught.value.faultString == "parse error; not well formed"


@pytest.mark.parametrize(
    "body",
    [b"<methodCall/>", b"<methodCall><params/></methodCall>"],
)
def test_a_call_of_nothing(body: bytes) -> None:
    """A call without the name of a method calls none that there is."""
    with pytest.raises(Fault) as caught:
        parse(body)
    assert caught.value.faultCode == NO_SUCH_METHOD


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
QUADRATIC = f'<!ENTITY a "{"a" * 100_000}">'


@pytest.mark.parametrize(
    "document_type",
    [
        "<!DOCTYPE methodCall>",
        f'<!DOCTYPE m [<!ENTITY l0 "ha">{LAUGHS}]>',
        f"<!DOCTYPE m [{QUADRATIC}]>",
        '<!DOCTYPE m SYSTEM "http://evil.example/m.dtd">',
        '<!DOCTYPE m [<!ENTITY l9 SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE m [<!ENTITY % l9 SYSTEM "http://evil.example/"> %l9;]>',
    ],
    ids=lambda text: text[:40],
)
def test_no_document_types(document_type: str) -> None:
    """A document type is refused, and so is all that could come with one."""
    body = call_of("<param><value>&l9;</value></param>", before=DECLARATION + document_type)
    with pytest.raises(Fault):
        parse(body)


HOSTILE = {
    "deep arrays": "<value><array><data>" * 10_000,
    "deep and closed": "<value><array><data>" * 9_000 + "</data></array></value>" * 9_000,
    "wide": "<value><array><data>" + "<value/>" * 120_000 + "</data></array></value>",
    "many members": "<value><struct>"
    + "<member><name>a</name><value>1</value></member>" * 20_000
    + "</struct>",
    "many attributes": "<value " + " ".join(f"a{n}=''" for n in range(90_000)) + "/>",
    "one long text": "<value>" + "a" * 1_000_000 + "</value>",
    "one long name": "<value><" + "a" * 1_000_000 + "/></value>",
    "many references": "<value>" + "&lt;" * 250_000 + "</value>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_bounds(name: str) -> None:
    """However a document is made, it is read, or refused, and nothing else comes of it."""
    body = call_of(f"<param>{HOSTILE[name]}</param>")[: calls.LARGEST]
    with suppress(Fault):
        parse(body)


def test_too_large() -> None:
    """More than the bound is not looked at."""
    with pytest.raises(Fault):
        parse(call_of(f"<param><value>{'a' * calls.LARGEST}</value></param>"))
