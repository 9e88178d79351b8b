"""Writing values: what comes out is what ``xmlrpc.client`` reads as the same."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from xmlrpc.client import Fault, loads

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from legacy_compat.xmlrpc import marshal

DROPPED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

texts = st.text(st.characters() | st.sampled_from("<&>]\r\n\t\x00\x0b\ufffe\ud800"), max_size=30)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 70), 1 << 70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
    | st.binary(max_size=20)
    | st.datetimes(datetime(1900, 1, 1), datetime(2999, 1, 1)).map(lambda one: one.replace(microsecond=0))
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=12) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=30,
)
columns = st.sampled_from([texts, st.integers(-(1 << 33), 1 << 33), st.booleans(), scalars])
rows = st.lists(columns, min_size=1, max_size=5).flatmap(
    lambda kinds: st.lists(st.tuples(*kinds).map(list), min_size=7, max_size=40)
)
keys = ["name", "version", "<&>", "\x00odd", "_pypi_ordering"]


def read(value: Any) -> Any:
    """A value, written and read."""
    (found,), _ = loads(marshal.response(marshal.xml(value)), use_builtin_types=True)
    return found


def clean(value: Any) -> Any:
    """A value as XML can hold it."""
    if isinstance(value, str):
        return DROPPED.sub("", value)
    if isinstance(value, list):
        return [clean(one) for one in value]
    if isinstance(value, dict):
        return {clean(key): clean(one) for key, one in value.items()}
    return value


def aware(value: Any) -> Any:
    """A value with its moments in UTC, as ours are."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    if isinstance(value, list):
        return [aware(one) for one in value]
    return {key: aware(one) for key, one in value.items()} if isinstance(value, dict) else value


@given(values)
@settings(max_examples=200, deadline=None)
def test_any_value(value: Any) -> None:
    """Any value is read as what it was, but for characters that XML cannot hold."""
    assert read(aware(value)) == clean(value)


@given(rows)
@settings(max_examples=100, deadline=None)
def test_rows(value: list[Any]) -> None:
    """Rows of one length are written together, and read as if they had not been."""
    assert read(aware(value)) == clean(value)
    structs = [dict(zip(keys, row, strict=False)) for row in value]
    assert read(aware(structs)) == clean(structs)


def test_nearly_of_a_kind() -> None:
    """Items that differ in one place are written one by one."""
    structs: list[Any] = [{"a": 1}] * 20
    assert read([*structs, {"b": 1}]) == [*structs, {"b": 1}]
    assert read([*structs, [1]]) == [*structs, [1]]
    assert read([[1, 2]] * 20 + [[1]]) == [[1, 2]] * 20 + [[1]]
    assert read([[]] * 20) == [[]] * 20
    assert read([{}] * 20) == [{}] * 20


def test_many_rows() -> None:
    """More rows than are written at once are all there, in their order."""
    value = [[f"name-{n}", None, n, "<action>", n] for n in range(2 * marshal.AT_ONCE + 1)]
    assert read(value) == value


def test_numbers_beyond_32_bits() -> None:
    """A large number is an ``<int>`` with more digits, which every Python reads."""
    assert b"<int>3000000000</int>" in marshal.response(marshal.xml(3000000000))
    assert b"<int>3000000000</int>" in marshal.response(marshal.xml([[3000000000]] * 20))


def test_what_there_is_no_type_for() -> None:
    """What XML-RPC has no type for is a mistake of ours."""
    with pytest.raises(TypeError):
        marshal.xml({1, 2})


def test_faults() -> None:
    """A fault is raised by whoever reads it."""
    with pytest.raises(Fault) as caught:
        loads(marshal.fault(Fault(-1, "no <way> & \x00 not that")))
    assert (caught.value.faultCode, caught.value.faultString) == (-1, "no <way> &  not that")


def test_a_value_out_of_its_answer() -> None:
    """What was written as an answer can be put into a list of answers."""
    answers = [marshal.response(marshal.xml(value)) for value in (1, "zwei ü", [3])]
    whole = marshal.response(marshal.listed(map(marshal.value_of, answers)))
    assert loads(whole)[0][0] == [1, "zwei ü", [3]]
