"""What the description of the API says of reports of tokens."""

from __future__ import annotations

from pypi.accounts.issued import AT_ONCE
from pypi.http.described import Content, Operation, Schema

_TOKEN: Schema = {"type": "string"}
_ONE: Schema = {"type": "object", "properties": {"token": _TOKEN}, "required": ["token"]}

REPORTED: Schema = {
    "title": "Reported",
    "description": "Tokens that are secret no longer.",
    "anyOf": [
        _ONE,
        {
            "type": "object",
            "properties": {"tokens": {"type": "array", "items": _TOKEN, "minItems": 1, "maxItems": AT_ONCE}},
            "required": ["tokens"],
        },
        {"type": "array", "items": _ONE, "minItems": 1, "maxItems": AT_ONCE},
    ],
}

RECEIVED: Schema = {
    "title": "Received",
    "type": "object",
    "description": "How many were looked at; whether they were tokens, nobody is told.",
    "properties": {"received": {"type": "integer", "minimum": 1}},
    "required": ["received"],
    "additionalProperties": False,
}

REPORT = Operation(
    name="revoke_tokens",
    summary="Report tokens that leaked",
    about="Whoever finds a token shows it here, and it is good for nothing any more. Takes no account.",
    group="Tokens",
    body=Content(schema=REPORTED, example={"token": "cheeseshop-0123456789abcdef-…"}),
    answer=Content(schema=RECEIVED, example={"received": 1}),
)
