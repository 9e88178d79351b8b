"""Parameters of queries, read by what the description says of them."""

from __future__ import annotations

import re
from typing import Any

from pypi.domain.errors import InvalidField
from pypi.http.described import Parameter


def number(request: Any, parameter: Parameter) -> int:
    """A whole number; what the parameter is where nobody says.

    Raises:
        InvalidField: it is none, too small or too large, or there are several.
    """
    schema = parameter.schema
    text = _only(request, parameter)
    if text is None:
        return int(schema["default"])
    least, most = schema["minimum"], schema["maximum"]
    if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) or not least <= int(text) <= most:
        sentence = f"{parameter.name} has to be a whole number from {least} to {most}."
        raise InvalidField(parameter.name, sentence)
    return int(text)


def word(request: Any, parameter: Parameter) -> str:
    """A text; empty where nobody says.

    Raises:
        InvalidField: it is too long, or there are several.
    """
    text, most = _only(request, parameter) or "", parameter.schema["maxLength"]
    if len(text) > most or not text.isprintable():
        raise InvalidField(parameter.name, f"{parameter.name} has to be a text of at most {most} characters.")
    return text


def _only(request: Any, parameter: Parameter) -> str | None:
    given = set(request.args.get(parameter.name.encode(), ()))
    if len(given) > 1:
        raise InvalidField(
            parameter.name, f"{parameter.name} is given more than once, with different values."
        )
    return given.pop().decode("utf-8", "replace") if given else None
