"""Objects of JSON as classes: each field says once what it is, and is read, written and described by that."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, TypeVar

import attrs
from attrs import NOTHING, Attribute

from pypi.domain.errors import Invalid, InvalidField
from pypi.http.described import Schema

T = TypeVar("T")

LINE = r"^[^\u0000-\u001f\u007f]*$"
"""One line of text; as JSON Schema and Python read it alike."""

_LINE = re.compile(LINE)

LONGEST_SHOWN = 40
"""Characters of a name that nobody knows."""


class NoObject(Invalid):
    """The body is something else."""

    def __str__(self) -> str:
        return "The body of this request has to be a JSON object."


# What a field can be


def text(about: str, *, longest: int, example: str, default: Any = NOTHING, least: int = 1) -> Any:
    """One line of text.

    Args:
        longest: characters.
        default: if it may be missing; then it may be empty as well.
    """
    schema = {"type": "string", "maxLength": longest, "pattern": LINE}
    if default is NOTHING and least:
        schema["minLength"] = least
    return _field(about, schema, example, default)


def texts(about: str, *, longest: int, most: int, example: Sequence[str]) -> Any:
    """Several lines of text, at least one."""
    one = {"type": "string", "minLength": 1, "maxLength": longest, "pattern": LINE}
    schema = {"type": "array", "items": one, "minItems": 1, "maxItems": most}
    return _field(about, schema, list(example), convert=tuple)


def choice(about: str, kind: type[Enum], *, example: str) -> Any:
    """One of the values of an enumeration."""
    schema = {"type": "string", "enum": [one.value for one in kind]}
    return _field(about, schema, example, convert=kind)


def shown(about: str, schema: Schema, example: Any) -> Any:
    """A field of an answer, which nobody reads here."""
    return _field(about, schema, example)


def listed(about: str, cls: type) -> Any:
    """Several objects of a class, in an answer."""
    return _field(about, {"type": "array", "items": schema_of(cls)}, [example_of(cls)])


def _field(about: str, schema: Schema, example: Any, default: Any = NOTHING, convert: Any = None) -> Any:
    described = {**schema, "description": about}
    if default is not NOTHING:
        described["default"] = default
    return attrs.field(
        default=default, metadata={"schema": described, "example": example, "convert": convert}
    )


# Reading


def read(cls: type[T], value: object) -> T:
    """An object of a class from the JSON that was sent; ``None``, for no body, is one without fields.

    Raises:
        NoObject: it is no object.
        InvalidField: a field is not as it is described, is missing, or is not known.
    """
    given = {} if value is None else value
    if not isinstance(given, dict):
        raise NoObject()
    fields = {one.name: one for one in _fields(cls)}
    for name in given:
        if name not in fields:
            raise InvalidField(name[:LONGEST_SHOWN], _unknown(name[:LONGEST_SHOWN], list(fields)))
    return cls(**{name: _value(one, given[name]) for name, one in fields.items() if _is_given(one, given)})


def _unknown(name: str, known: Sequence[str]) -> str:
    has = f"it has {', '.join(known)}" if known else "it has none"
    return f"There is no field {name!r} in this request: {has}."


def _is_given(one: Attribute[Any], given: Mapping[str, object]) -> bool:
    if one.name not in given and one.default is NOTHING:
        raise InvalidField(one.name, f"{one.name} is missing: {one.metadata['schema']['description']}.")
    return one.name in given


def _value(one: Attribute[Any], value: object) -> Any:
    wrong = why_not(one.metadata["schema"], value)
    if wrong is not None:
        raise InvalidField(one.name, f"{one.name} has to be {wrong}.")
    convert = one.metadata["convert"]
    return value if convert is None else convert(value)


def why_not(schema: Schema, value: object) -> str | None:
    """What a value has to be, and is not; ``None`` where it is.

    It knows as much of JSON Schema as is used here.
    """
    match schema["type"]:
        case "string" if "enum" in schema:
            return None if value in schema["enum"] else f"one of {', '.join(map(repr, schema['enum']))}"
        case "string":
            return _why_no_text(schema, value)
        case "array":
            return _why_no_array(schema, value)
    raise ValueError(f"nobody reads {schema['type']}")


def _why_no_text(schema: Schema, value: object) -> str | None:
    least, most = schema.get("minLength", 0), schema["maxLength"]
    if isinstance(value, str) and least <= len(value) <= most and _LINE.fullmatch(value):
        return None
    return f"one line of text of {least} to {most} characters"


def _why_no_array(schema: Schema, value: object) -> str | None:
    least, most = schema["minItems"], schema["maxItems"]
    if not isinstance(value, list) or not least <= len(value) <= most:
        return f"a list of {least} to {most} texts"
    wrong = next(filter(None, (why_not(schema["items"], one) for one in value)), None)
    return None if wrong is None else f"a list of texts, each {wrong}"


# Writing and describing


def written(value: Any) -> dict[str, Any]:
    """An object of a class as JSON."""
    return {one.name: _written(getattr(value, one.name)) for one in _fields(type(value))}


def _written(value: Any) -> Any:
    if attrs.has(type(value)):
        return written(value)
    if isinstance(value, list | tuple):
        return [_written(one) for one in value]
    return value.value if isinstance(value, Enum) else value


def schema_of(cls: type) -> Schema:
    """The JSON Schema of a class: all its fields, and no others."""
    fields = _fields(cls)
    schema = {
        "title": cls.__name__,
        "type": "object",
        "description": (cls.__doc__ or "").partition("\n\n")[0],
        "properties": {one.name: one.metadata["schema"] for one in fields},
        "additionalProperties": False,
    }
    if required := [one.name for one in fields if one.default is NOTHING]:
        schema["required"] = required
    return schema


def example_of(cls: type) -> dict[str, Any]:
    """An example of a class, with all its fields."""
    return {one.name: one.metadata["example"] for one in _fields(cls)}


def needs_body(cls: type) -> bool:
    """Whether an object of a class can be told only by a body."""
    return any(one.default is NOTHING for one in _fields(cls))


def _fields(cls: type) -> tuple[Attribute[Any], ...]:
    fields: tuple[Attribute[Any], ...] = attrs.fields(cls)
    return fields
