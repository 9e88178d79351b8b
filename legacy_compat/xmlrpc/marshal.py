"""Values as XML: what ``xmlrpc.client.dumps`` says, in a third of its time.

Lists of structs that have the same keys, or of rows of the same length, are most of what is ever said. They
are written column by column, so that all texts of one are escaped at once.

Text is UTF-8; characters that XML cannot hold are dropped. ``None`` is ``<nil/>``. Integers beyond 32 bits,
which serials may become, are an ``<int>`` like any other: the specification has no name for them, older
Pythons read no other name, and every Python reads as many digits as there are.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from xmlrpc.client import Fault

HEAD = b"<?xml version='1.0' encoding='UTF-8'?>\n<methodResponse>\n"
BEFORE = HEAD + b"<params>\n<param>\n"
AFTER = b"</param>\n</params>\n</methodResponse>\n"

BEFORE_ALL = "<value><array><data>\n"
AFTER_ALL = "</data></array></value>\n"

SAME_KIND = 8
"""Items of a list from which it pays to look whether they are all of a kind."""

AT_ONCE = 1000
"""Items that are written together: a thread that writes many lets others go on in between."""

_SPECIAL = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REPLACED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_ODD = re.compile("[\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_BETWEEN = "\n\t\n"
"""Stands between texts that are escaped together; few texts hold it."""


def response(value: str) -> bytes:
    """The answer to a call.

    Args:
        value: as ``xml`` writes it.
    """
    return b"%s%s%s" % (BEFORE, value.encode(), AFTER)


def value_of(body: bytes) -> str:
    """The value in an answer that ``response`` has written."""
    return body[len(BEFORE) : -len(AFTER)].decode()


def fault(refusal: Fault) -> bytes:
    """The answer that there is none."""
    return b"%s<fault>\n%s</fault>\n</methodResponse>\n" % (HEAD, fault_xml(refusal).encode())


def fault_xml(refusal: Fault) -> str:
    """A fault as a value, which is also what it is among the results of several calls."""
    return xml({"faultCode": refusal.faultCode, "faultString": refusal.faultString})


def listed(values: Iterable[str]) -> str:
    """Values that are written already, as a list."""
    return f"{BEFORE_ALL}{''.join(values)}{AFTER_ALL}"


def xml(value: Any) -> str:
    """A value with its ``<value>`` around it.

    Args:
        value: of str, int, float, bool, None, bytes, datetime (aware), sequences and mappings of such.

    Raises:
        TypeError: it is, or holds, something else.
    """
    kind = type(value)
    if kind is str:
        return f"<value><string>{escaped(value)}</string></value>\n"
    if kind is list or kind is tuple:
        return listed(_items(value))
    if kind is dict:
        members = (
            f"<member>\n<name>{escaped(key)}</name>\n{xml(item)}</member>\n" for key, item in value.items()
        )
        return f"<value><struct>\n{''.join(members)}</struct></value>\n"
    return f"<value>{_scalar(value)}</value>\n"


def escaped(text: str) -> str:
    """Text as it may stand in an element."""
    return _SPECIAL.sub(_replacement, text) if _SPECIAL.search(text) else text


def _replacement(found: re.Match[str]) -> str:
    return _REPLACED.get(found[0], "")


def _scalar(value: Any) -> str:
    """Anything but text, lists and structs, without ``<value>``."""
    kind = type(value)
    if kind is int:
        return f"<int>{value}</int>"
    if value is None:
        return "<nil/>"
    if kind is bool:
        return f"<boolean>{value:d}</boolean>"
    if kind is float:
        return f"<double>{value!r}</double>"
    if kind is datetime:
        return f"<dateTime.iso8601>{value.astimezone(UTC):%Y%m%dT%H:%M:%S}</dateTime.iso8601>"
    if kind is bytes:
        return f"<base64>{b2a_base64(value).decode()}</base64>"
    raise TypeError(f"XML-RPC has no {kind.__name__}")


# Many of a kind

Shape = tuple[str, ...] | int
"""Keys of structs, or the length of rows; 1 row of length 0 is a text by itself."""


def _items(values: Sequence[Any]) -> Iterator[str]:
    shape = _shape(values)
    if shape is None:
        yield from map(xml, values)
        return
    for at in range(0, len(values), AT_ONCE):
        yield _written(values[at : at + AT_ONCE], shape)


def _shape(values: Sequence[Any]) -> Shape | None:
    """What all of them have in common; ``None`` where that is nothing that helps."""
    if len(values) < SAME_KIND:
        return None
    first = values[0]
    if type(first) is dict:
        keys = tuple(first)
        same = all(type(one) is dict and tuple(one) == keys for one in values)
        return keys if keys and same else None
    if type(first) in (list, tuple):
        length = len(first)
        same = all(type(one) in (list, tuple) and len(one) == length for one in values)
        return length if length and same else None
    return None


def _written(values: Sequence[Any], shape: Shape) -> str:
    """Values of one shape, column by column: the constant pieces of all, and between them what differs."""
    if isinstance(shape, tuple):
        columns = [[one[key] for one in values] for key in shape]
    else:
        columns = [list(column) for column in zip(*values, strict=True)]
    written, types = zip(*map(_column, columns), strict=True)
    first, *between, last = _pieces(shape, types)
    count, width = len(values), 2 * len(columns)
    flat = [last + first] * (width * count + 1)
    flat[0], flat[-1] = first, last
    for place, (column, piece) in enumerate(zip(written, [None, *between], strict=True)):
        flat[2 * place + 1 :: width] = column
        if piece is not None:
            flat[2 * place :: width] = [piece] * count
    return "".join(flat)


def _column(values: list[Any]) -> tuple[list[str], str]:
    """(values as they stand in their elements, the element all of them stand in, if it is one)."""
    kinds = set(map(type, values))
    if kinds == {str}:
        return _all_escaped(values), "string"
    if kinds == {bool}:
        return ["01"[value] for value in values], "boolean"
    if kinds == {int}:
        return [str(value) for value in values], "int"
    return [_within(value) for value in values], ""


def _within(value: Any) -> str:
    """What stands within ``<value>``."""
    kind = type(value)
    if kind is str:
        return f"<string>{escaped(value)}</string>"
    return xml(value)[7:-9] if kind in (list, tuple, dict) else _scalar(value)


def _all_escaped(texts: list[str]) -> list[str]:
    joined = _BETWEEN.join(texts)
    if _ODD.search(joined):
        return [escaped(text) for text in texts]
    found = joined.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").split(_BETWEEN)
    return found if len(found) == len(texts) else [escaped(text) for text in texts]


@lru_cache(maxsize=256)
def _pieces(shape: Shape, types: tuple[str, ...]) -> list[str]:
    """What stands before, between and behind the values of an item."""
    elements = [f"<value><{one}>\0</{one}></value>\n" if one else "<value>\0</value>\n" for one in types]
    if isinstance(shape, int):
        return f"{BEFORE_ALL}{''.join(elements)}{AFTER_ALL}".split("\0")
    members = (
        f"<member>\n<name>{escaped(key)}</name>\n{one}</member>\n"
        for key, one in zip(shape, elements, strict=True)
    )
    return f"<value><struct>\n{''.join(members)}</struct></value>\n".split("\0")
