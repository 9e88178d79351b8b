"""The description of the API: valid, complete, and made of what routes do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from attrs import frozen
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator

from pypi.domain.errors import InvalidField
from pypi.domain.permissions import Role
from pypi.front import routes
from pypi.http.described import Content, Operation
from pypi.http.router import Route
from pypi.http.terms import Credential
from pypi.web.api.description import PLACE, document
from pypi.web.api.fields import NoObject, choice, example_of, read, schema_of, text, texts, why_not, written
from tests.support.index import Index


def described(*, is_public: bool = True) -> dict[str, Any]:
    """The description of an index."""
    told = document(routes(), origin="https://packages.example", name="Cheese", is_public=is_public)
    value = orjson.loads(told)
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize("is_public", [True, False])
def test_it_is_valid(is_public: bool) -> None:
    """It is valid by the specification of OpenAPI 3.1."""
    OpenAPIV31SpecValidator(described(is_public=is_public)).validate()


def test_it_is_complete() -> None:
    """Each route of the table below /api/ is described, with its method, and nothing else is."""
    table = {
        (route.method.lower(), route.path.replace("<", "{").replace(">", "}"))
        for route in routes()
        if route.path.startswith(PLACE)
    }
    told = {(method, path) for path, methods in described()["paths"].items() for method in methods}
    assert told == table


def test_operations_have_names_of_their_own() -> None:
    """No two operations have one name, and each has words, a heading and an answer with an example."""
    operations = [one for methods in described()["paths"].values() for one in methods.values()]
    names = [one["operationId"] for one in operations]
    assert len(set(names)) == len(names)
    for one in operations:
        assert one["summary"], one["operationId"]
        assert one["description"].endswith("."), one["operationId"]
        assert len(one["tags"]) == 1, one["operationId"]
        [content] = one["responses"]["200"]["content"].values()
        assert "example" in content, one["operationId"]


def test_examples_are_what_they_are_examples_of() -> None:
    """Each example fits its schema, and so do the fields by themselves."""
    told = described()
    contents = [one for one in nested(told) if isinstance(one, dict) and {"schema", "example"} <= one.keys()]
    assert len(contents) > 50
    for one in contents:
        schema = {**one["schema"], "components": told["components"]}
        Draft202012Validator(schema, format_checker=FormatChecker()).validate(one["example"])


def nested(value: Any) -> Iterator[Any]:
    """A value and all that is in it."""
    yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nested(one)


def test_terms_are_told() -> None:
    """What takes an account says so, and by which statuses it refuses; what everybody reads takes none."""
    told = described()["paths"]
    for route in routes():
        if not route.path.startswith(PLACE):
            continue
        path = route.path.replace("<", "{").replace(">", "}")
        operation = told[path][route.method.lower()]
        is_open = Credential.NONE in route.terms.takes
        assert operation["security"] == ([] if is_open else [{"token": []}, {"basic": []}]), path
        assert ("401" in operation["responses"]) is not is_open, path
        assert ("requestBody" in operation) == (route.method == "POST"), path
        assert "503" in operation["responses"], path


def test_where_the_index_is_private() -> None:
    """Where not everybody reads, reading takes an account as well."""
    search = described(is_public=False)["paths"]["/api/search"]["get"]
    assert search["security"] == [{"token": []}, {"basic": []}]
    assert {"401", "403"} <= search["responses"].keys()


def test_two_schemas_of_one_name() -> None:
    """Two things are not called the same."""

    def route(path: str, **properties: object) -> Route:
        answer = Content(schema={"title": "Thing", "properties": properties}, example={})
        about = Operation(name=path, summary="x", about="x.", group="x", answer=answer)
        return Route("GET", path, "x", routes()[0].policy, about=about)

    with pytest.raises(ValueError, match="two schemas are called Thing"):
        document(
            [route("/api/a"), route("/api/b", x={})], origin="https://x.example", name="x", is_public=True
        )


async def test_it_is_served(index: Index) -> None:
    """It is served to pages of other origins, too, to be asked for again after minutes, and cheaply."""
    reply = await index.ask("/api/openapi.json", {"Accept-Encoding": "gzip"})
    assert (reply.status, reply["Content-Type"], reply["Content-Encoding"]) == (
        200,
        "application/json",
        "gzip",
    )
    assert reply["Cache-Control"] == "max-age=300, public"
    assert reply["Access-Control-Allow-Origin"] == "*"
    again = await index.ask("/api/openapi.json", {"Accept-Encoding": "gzip", "If-None-Match": reply["ETag"]})
    assert again.status == 304
    plain = (await index.ask("/api/openapi.json")).json()
    assert plain["servers"] == [{"url": f"http://127.0.0.1:{index.port}"}]
    assert plain["paths"].keys() == described()["paths"].keys()


# Objects of JSON as classes


@frozen(kw_only=True)
class Order:
    """What somebody wants."""

    cheese: str = text("which one", longest=5, example="brie")
    names: tuple[str, ...] = texts("whose", longest=3, most=2, example=["ada"])
    role: Role = choice("as what", Role, example="Owner")
    note: str = text("why", longest=4, example="", default="")


GOOD = {"cheese": "brie", "names": ["ada"], "role": "Owner", "note": "now"}


def test_reading_objects() -> None:
    """An object is read as a class, by its description, and written so again."""
    order = read(Order, GOOD)
    assert order == Order(cheese="brie", names=("ada",), role=Role.OWNER, note="now")
    assert written(order) == GOOD
    del (least := dict(GOOD))["note"]
    assert read(Order, least).note == ""
    schema = schema_of(Order)
    assert (schema["title"], schema["description"]) == ("Order", "What somebody wants.")
    assert schema["required"] == ["cheese", "names", "role"]
    assert schema["additionalProperties"] is False
    assert read(Order, example_of(Order)).cheese == "brie"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"cheese": ""}, "cheese"),
        ({"cheese": "gouda!"}, "cheese"),
        ({"cheese": "a\n"}, "cheese"),
        ({"cheese": "\0"}, "cheese"),
        ({"cheese": "a\x7f"}, "cheese"),
        ({"cheese": None}, "cheese"),
        ({"cheese": 1}, "cheese"),
        ({"cheese": ["brie"]}, "cheese"),
        ({"names": []}, "names"),
        ({"names": ["a", "b", "c"]}, "names"),
        ({"names": ["ada", "long"]}, "names"),
        ({"names": [1]}, "names"),
        ({"names": "ada"}, "names"),
        ({"names": {"0": "ada"}}, "names"),
        ({"role": "owner"}, "role"),
        ({"role": 0}, "role"),
        ({"role": []}, "role"),
        ({"note": "later"}, "note"),
        ({"note": None}, "note"),
        ({"Note": "now"}, "Note"),
        ({"x" * 100: 1}, "x" * 40),
        ({"__class__": 1}, "__class__"),
    ],
)
def test_objects_that_are_not_as_described(changed: dict[str, object], field: str) -> None:
    """What a field is not, or that there is none of the name, is said in a sentence."""
    with pytest.raises(InvalidField) as caught:
        read(Order, GOOD | changed)
    assert caught.value.field == field
    assert str(caught.value).endswith(".")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("value", [[], [GOOD], "", 0, 1.5, True, False])
def test_no_objects(value: object) -> None:
    """What is no object is not read as one."""
    with pytest.raises(NoObject):
        read(Order, value)


def test_schemas_that_nobody_reads() -> None:
    """A field of a kind that is not understood is a mistake of ours, and let no value pass."""
    with pytest.raises(ValueError, match="nobody reads number"):
        why_not({"type": "number"}, 1)
