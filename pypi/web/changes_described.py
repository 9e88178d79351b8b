"""What the description of the API says of the change feed."""

from __future__ import annotations

from pypi.http.described import Content, Operation, Parameter, Schema

FOLLOWING = "Following changes"

_SERIAL: Schema = {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}
_SINCE = Parameter(name="since", about="the serial of the last change that is known", schema=_SERIAL)

CHANGE: Schema = {
    "title": "Change",
    "type": "object",
    "description": "A line of the journal.",
    "properties": {
        "serial": _SERIAL,
        "project": {"type": ["string", "null"], "description": "as displayed; null: it is about none"},
        "normalized": {"type": ["string", "null"]},
        "version": {"type": ["string", "null"]},
        "action": {"type": "string", "description": "in the words of the changelog"},
        "at": {"type": "string", "format": "date-time"},
    },
    "required": ["serial", "project", "normalized", "version", "action", "at"],
    "additionalProperties": False,
}

CHANGES: Schema = {
    "title": "Changes",
    "type": "object",
    "description": "A page of the journal.",
    "properties": {
        "since": _SERIAL,
        "limit": {"type": "integer"},
        "serial": {**_SERIAL, "description": "up to which this page tells everything"},
        "full": {"type": "boolean", "description": "whether this page will always be the same"},
        "next": {"type": "string", "format": "uri"},
        "changes": {"type": "array", "items": CHANGE},
    },
    "required": ["since", "limit", "serial", "full", "next", "changes"],
    "additionalProperties": False,
}

_LINE = {
    "serial": 7,
    "project": "Example",
    "normalized": "example",
    "version": "1.0",
    "action": "add py3 file example-1.0-py3-none-any.whl",
    "at": "2026-05-01T12:30:05.123456Z",
}

PAGE = Operation(
    name="changes",
    summary="Changes, by pages or by waiting",
    about="Every change of anything that is for everybody, by serials: ask `next` next. With `wait`, an "
    "answer that would be empty waits for the next change.",
    group=FOLLOWING,
    parameters=(
        _SINCE,
        Parameter(
            name="limit",
            about="changes on a page",
            schema={"type": "integer", "minimum": 1, "maximum": 10_000, "default": 1000},
        ),
        Parameter(
            name="wait",
            about="seconds to wait at most",
            schema={"type": "string", "pattern": r"^([0-9]|[1-5][0-9])(\.[0-9]{1,3})?$"},
        ),
    ),
    answer=Content(
        schema=CHANGES,
        example={
            "since": 6,
            "limit": 1000,
            "serial": 7,
            "full": False,
            "next": "https://packages.example/api/changes?since=7&limit=1000",
            "changes": [_LINE],
        },
    ),
    refusals=(400,),
)

STREAM = Operation(
    name="changes_stream",
    summary="Changes, as a stream",
    about="Server-Sent Events, one for each change as it happens, without end. `Last-Event-ID` goes before "
    "`since`.",
    group=FOLLOWING,
    parameters=(_SINCE,),
    answer=Content(
        media_type="text/event-stream",
        schema={"type": "string"},
        example='id: 7\ndata: {"serial":7,"project":"Example"}\n\n',
    ),
    refusals=(400,),
)
