"""The metadata value: bounds, JSON, what it derives."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pypi.domain.errors import InvalidField
from pypi.domain.metadata import FIELDS, Kind, Metadata
from pypi.domain.metadata.model import MAX_LIST, MAX_SINGLE, MAX_VALUE, MAX_VALUES

TEXT = st.text(max_size=20)
LABELS = st.text(alphabet="abcdef", min_size=1, max_size=4)
BY_KIND = {
    Kind.SINGLE: st.none() | st.text(min_size=1, max_size=20),
    Kind.LIST: st.lists(TEXT, max_size=3).map(tuple),
    Kind.KEYWORDS: st.lists(TEXT, max_size=3).map(tuple),
    Kind.URLS: st.dictionaries(LABELS, TEXT, max_size=3).map(lambda urls: tuple(urls.items())),
}
ANY = st.builds(Metadata, **{name: BY_KIND[field.kind] for name, field in FIELDS.items()})


@settings(max_examples=50)
@given(ANY)
def test_json_keeps_everything(metadata: Metadata) -> None:
    """What is stored as JSON comes back the same."""
    assert Metadata.from_json(json.loads(json.dumps(metadata.to_json()))) == metadata


def test_json_is_made_of_what_is_present() -> None:
    """Absent fields take no room, and lists and pairs are JSON arrays."""
    metadata = Metadata(name="a", classifiers=("x",), project_urls=(("Home", "https://a.example"),))
    assert metadata.to_json() == {
        "name": "a",
        "classifiers": ["x"],
        "project_urls": [["Home", "https://a.example"]],
    }


def test_json_of_a_later_version_is_readable() -> None:
    """A stored field nobody here knows is passed over."""
    assert Metadata.from_json({"name": "a", "mood": ["good"]}) == Metadata(name="a")


def test_every_field_is_an_attribute() -> None:
    """The table of fields and the value agree."""
    assert {field.name for field in Metadata.__attrs_attrs__} == set(FIELDS)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("field", "texts", "sentence"),
    [
        ("version", ["1" * (MAX_SINGLE + 1)], "'version' field must be 16384 characters or less."),
        ("classifiers", ["a"] * (MAX_VALUES + 1), "'classifier' field must be 10000 values or fewer."),
        ("requires_dist", ["a" * (MAX_VALUE + 1)], "'requires-dist' field must be 4096 characters or less."),
        (
            "requires_dist",
            ["a" * MAX_VALUE] * (MAX_LIST // MAX_VALUE + 1),
            "'requires-dist' field must be 131072 characters or less in all.",
        ),
        ("keywords", ["a," * (MAX_VALUES + 1)], "'keywords' field must be 10000 values or fewer."),
        ("project_urls", ["a, " + "u" * MAX_VALUE], "'project-url' field must be 4096 characters or less."),
    ],
)
def test_fields_have_bounds(field: str, texts: list[str], sentence: str) -> None:
    """Nothing is ever parsed that is longer than any real value."""
    with pytest.raises(InvalidField) as caught:
        Metadata.of_texts({field: texts})
    assert caught.value.field == field
    assert str(caught.value).startswith(sentence)


def test_documents_have_none() -> None:
    """Whole licences and descriptions are welcome."""
    long = "word " * MAX_SINGLE
    assert Metadata.of_texts({"license": [long], "description": [long]}).license == long


def test_canonical_license_expression() -> None:
    """Licences get the capitals of the SPDX list; nonsense and nothing give nothing."""
    assert (
        Metadata(license_expression="mit or apache-2.0").canonical_license_expression == "MIT OR Apache-2.0"
    )
    assert Metadata(license_expression="my own").canonical_license_expression is None
    assert Metadata().canonical_license_expression is None
