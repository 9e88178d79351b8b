"""What the description of the API says of searches."""

from __future__ import annotations

from typing import Any

from pypi.http.described import Content, Operation, Parameter, Schema

FINDING = "Finding projects"

_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_TEXTS: Schema = {"type": "array", "items": _TEXT}
_COUNTS: Schema = {"type": "object", "additionalProperties": _COUNT}
_MARKS: Schema = {
    "type": "array",
    "items": {"type": "array", "items": _COUNT, "minItems": 2, "maxItems": 2},
    "description": "from where to where stands what was looked for, in characters",
}


def _object(title: str, about: str, **properties: Any) -> Schema:
    """An object that has all of these, and nothing else."""
    return {
        "title": title,
        "type": "object",
        "description": about,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


HIT = _object(
    "Hit",
    "A project that was found.",
    name=_TEXT,
    normalized=_TEXT,
    version=_TEXT,
    summary=_TEXT,
    created={"type": "string", "format": "date-time"},
    downloads={**_COUNT, "description": "of the last 30 days, about"},
    url={"type": "string", "format": "uri"},
    matched={**_TEXTS, "description": "which of its fields have what was looked for"},
    marks=_object("Marks", "Where that stands.", name=_MARKS, summary=_MARKS),
)

RESULTS = _object(
    "Results",
    "A page of what was found, and what it can be narrowed to.",
    query=_object(
        "Query",
        "What was looked for.",
        q=_TEXT,
        c=_TEXTS,
        python={"type": ["string", "null"]},
        wheels={"type": "boolean"},
        o=_TEXT,
    ),
    total={**_COUNT, "description": "exact, unless there are `more`"},
    more={"type": "boolean"},
    loose={"type": "boolean", "description": "nothing has all the words; these have most of them"},
    page=_COUNT,
    pages=_COUNT,
    hits={"type": "array", "items": HIT},
    counted={**_COUNT, "description": "how many of the best the counts below are of"},
    classifiers=_COUNTS,
    pythons=_COUNTS,
    wheels=_COUNT,
    near={**_TEXTS, "description": "names that differ by a slip or two, where next to nothing was found"},
)

SUGGESTIONS = _object(
    "Suggestions",
    "Projects whose name somebody may be typing.",
    q=_TEXT,
    suggestions={
        "type": "array",
        "items": _object("Suggestion", "One of them.", name=_TEXT, summary=_TEXT, url=_TEXT),
    },
)

WORDS = Parameter(
    name="q",
    about="words, up to 12 and 200 characters, in capitals or not",
    schema={"type": "string", "maxLength": 200},
)

SEARCH = Operation(
    name="search",
    summary="Search",
    about="Projects that have all the words, twenty to a page; the same as the page for people finds.",
    group=FINDING,
    parameters=(
        WORDS,
        Parameter(
            name="c",
            about="a classifier that a project has to have, or one below it; all that are given count",
            schema={"type": "array", "items": _TEXT, "maxItems": 10},
        ),
        Parameter(
            name="python",
            about="a version on which installers would install it, such as `3.12`",
            schema={"type": "string", "pattern": r"^([23]\.(0|[1-9][0-9]?))?$"},
        ),
        Parameter(name="wheels", about="`1`: only what has a wheel", schema={"enum": ["", "0", "1"]}),
        Parameter(
            name="o", about="what comes first", schema={"enum": ["", "relevance", "date", "downloads"]}
        ),
        Parameter(name="page", about="which page", schema={"type": "integer", "minimum": 1, "maximum": 50}),
    ),
    answer=Content(
        schema=RESULTS,
        example={
            "query": {"q": "cheese", "c": [], "python": None, "wheels": False, "o": "relevance"},
            "total": 1,
            "more": False,
            "loose": False,
            "page": 1,
            "pages": 1,
            "hits": [
                {
                    "name": "Golden.Cheese",
                    "normalized": "golden-cheese",
                    "version": "1.10",
                    "summary": "Ripe cheese",
                    "created": "2026-02-03T04:05:06.250000Z",
                    "downloads": 12,
                    "url": "https://packages.example/project/Golden.Cheese/",
                    "matched": ["name", "summary"],
                    "marks": {"name": [[7, 13]], "summary": [[5, 11]]},
                }
            ],
            "counted": 1,
            "classifiers": {"Topic": 1},
            "pythons": {"3.13": 1},
            "wheels": 1,
            "near": [],
        },
    ),
    refusals=(400,),
)

SUGGEST = Operation(
    name="suggest",
    summary="Suggestions",
    about="Names that begin so, then those with a word that begins so; eight at most.",
    group=FINDING,
    parameters=(WORDS,),
    answer=Content(
        schema=SUGGESTIONS,
        example={
            "q": "che",
            "suggestions": [
                {
                    "name": "cheese",
                    "summary": "Ripe cheese",
                    "url": "https://packages.example/project/cheese/",
                }
            ],
        },
    ),
    refusals=(400,),
)
