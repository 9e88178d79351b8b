"""What is looked for: read from what clients send, the same question always the same value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypi.search.find import sought
from pypi.search.query import (
    FIELDS,
    MOST_CHARACTERS,
    MOST_WORDS,
    BadQuery,
    Operator,
    Query,
    Wanted,
    of_fields,
)

TEXTS = st.text(max_size=30)
SPECS = st.dictionaries(
    st.one_of(st.sampled_from(FIELDS), TEXTS), st.one_of(TEXTS, st.lists(TEXTS, max_size=4)), max_size=4
)


def test_what_pip_asks() -> None:
    """Lists of words in two fields, any of which will do."""
    query = of_fields({"summary": ["Six"], "name": ["Six"]}, "or")
    assert query == Query(
        fields=(Wanted("name", ("six",)), Wanted("summary", ("six",))), operator=Operator.OR
    )
    assert not query.of_versions


def test_texts_and_lists() -> None:
    """A text is a list of one; a tuple is a list."""
    assert of_fields({"name": "a"}) == of_fields({"name": ["a"]}) == of_fields({"name": ("a",)})


@pytest.mark.parametrize(
    "spec", [{}, {"name": ""}, {"name": []}, {"name": None}, {"name": [" ", "\0"]}, {"cheesecake": "much"}]
)
def test_nothing(spec: dict[str, Any]) -> None:
    """Fields nobody knows, and words of nothing, are no question."""
    assert of_fields(spec).is_empty


def test_versions() -> None:
    """Who names a version asks for versions."""
    assert of_fields({"version": "1"}).of_versions


@pytest.mark.parametrize("value", [1, 1.5, True, {"a": "b"}, [1], ["a", None], b"a"])
def test_what_is_no_text(value: Any) -> None:
    """Values that are no texts are refused, in a sentence that names the field."""
    with pytest.raises(BadQuery, match="'name' must be a string or an array of strings"):
        of_fields({"name": value})


@pytest.mark.parametrize("operator", ["", "not", "and or", None, 7])
def test_operators(operator: Any) -> None:
    """There are two operators."""
    with pytest.raises(BadQuery, match="must be one of 'and' or 'or'"):
        of_fields({"name": "a"}, operator)
    assert of_fields({"name": "a", "summary": "b"}, "OR").operator is Operator.OR


def test_bounds() -> None:
    """A question has a bounded number of words, and of characters."""
    with pytest.raises(BadQuery, match="at most 50 words"):
        of_fields({"name": [str(number) for number in range(MOST_WORDS + 1)]})
    with pytest.raises(BadQuery, match="too long"):
        of_fields({"name": "x" * (MOST_CHARACTERS + 1)})
    assert of_fields({"name": ["x"] * 1000}) == of_fields({"name": "x"})


@given(spec=SPECS, operator=st.sampled_from(["and", "or"]))
def test_equal_questions(spec: dict[str, Any], operator: str) -> None:
    """The order of fields makes no difference, and nor do blanks and repetition; keys are lines of ASCII."""
    query = of_fields(spec, operator)
    spaced = {
        name: [*value, *value] if isinstance(value, list) else f"  {value}\t" for name, value in spec.items()
    }
    again = of_fields(dict(reversed(spaced.items())), operator.upper())
    assert again == query
    assert again.key == query.key
    assert query.key.isascii()
    assert "\n" not in query.key


@given(one=SPECS, other=SPECS)
def test_other_questions(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Different questions have different keys."""
    first, second = of_fields(one), of_fields(other)
    assert (first == second) == (first.key == second.key)
    assert json.loads(first.key)


@given(spec=SPECS)
def test_every_question_can_be_put(spec: dict[str, Any]) -> None:
    """Whatever was asked, the database can be asked: no text holds what it does not take."""
    asked = sought(of_fields(spec, "or"))
    told = [asked.grams or "", asked.description or "", *asked.anywhere, *asked.exact]
    assert not [one for one in told if "\0" in one]
    "".join(told).encode()
