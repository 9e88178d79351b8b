"""What a rendering process and its parent say to each other, in the frames of ``children.confined``.

A job is a line of JSON and after it the text; its reply a line of JSON and after it the HTML, both UTF-8.
"""

from __future__ import annotations

import json

from attrs import frozen

OVERHEAD_BYTES = 1 << 16
"""Room in a reply for what is not HTML."""


@frozen
class Job:
    """A description to render."""

    text: str
    content_type: str


@frozen
class NotRendered(Exception):
    """The description has to be shown as plain text.

    Attributes:
        why: goes on after "The description …".
    """

    why: str


Result = str | NotRendered
"""HTML, or why there is none."""


def write_job(job: Job) -> bytes:
    """The body that asks for a rendering; what no UTF-8 can say becomes a question mark."""
    return (
        json.dumps({"content_type": job.content_type}).encode() + b"\n" + job.text.encode("utf-8", "replace")
    )


def read_job(body: bytes) -> Job:
    """The job in a body."""
    line, _, text = body.partition(b"\n")
    return Job(text.decode(), json.loads(line)["content_type"])


def write_result(result: Result) -> bytes:
    """The body that says how a job ended."""
    if isinstance(result, NotRendered):
        return json.dumps({"why": result.why}).encode() + b"\n"
    return b"{}\n" + result.encode()


def read_result(body: bytes) -> Result:
    """How a job ended.

    Raises:
        ValueError: the body is none of ours.
    """
    line, _, html = body.partition(b"\n")
    match json.loads(line):
        case {"why": str(why)}:
            return NotRendered(why)
        case {}:
            return html.decode()
    raise ValueError("neither HTML nor a reason")
