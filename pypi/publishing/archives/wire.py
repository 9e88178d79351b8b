"""What an inspecting process and its parent say to each other over pipes.

A frame is four bytes of length, big-endian, and as many bytes. The parent writes one frame per job: a
JSON object with ``path`` and ``filename``. The child answers with an empty frame when it begins, and
with one frame when it is done: a line of JSON, and after it the metadata's bytes.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from struct import Struct

from attrs import asdict, frozen

from pypi.domain.errors import Invalid, InvalidDistribution
from pypi.publishing.archives import contents
from pypi.publishing.archives.contents import Contents

LENGTH = Struct(">L")
BEGUN = b""
OVERHEAD_BYTES = 1 << 20
"""Room in a reply for what is not metadata."""

_REFUSALS: dict[str, type[Invalid]] = {
    refusal.__name__: refusal
    for refusal in (
        InvalidDistribution,
        contents.InvalidEntryPoints,
        contents.LicenseFileMissing,
        contents.RecordMismatch,
        contents.RequiredFileMissing,
    )
}


class Failed(Exception):
    """The inspection failed through no fault of the archive; the text is for the log."""


@frozen
class Job:
    """One archive to inspect: where it is, and what it will be called."""

    path: Path
    filename: str


@frozen
class Reply:
    """How a job ended.

    Attributes:
        result: what the archive holds, or why it is refused, or why nobody knows.
        resident_bytes: memory the child holds after the job.
    """

    result: Contents | Invalid | Failed
    resident_bytes: int


def frame(body: bytes) -> bytes:
    """A body with its length before it."""
    return LENGTH.pack(len(body)) + body


def write_job(job: Job) -> bytes:
    """The body that asks for an inspection."""
    return json.dumps({"path": os.fspath(job.path), "filename": job.filename}).encode()


def read_job(body: bytes) -> Job:
    """The job in a body."""
    said = json.loads(body)
    return Job(Path(said["path"]), said["filename"])


def write_reply(reply: Reply) -> bytes:
    """The body that says how a job ended."""
    metadata = b""
    said: dict[str, object] = {"resident_bytes": reply.resident_bytes}
    match reply.result:
        case Contents() as found:
            metadata = found.metadata
            said["contents"] = asdict(found, filter=lambda attribute, _: attribute.name != "metadata")
        case Failed() as failure:
            said["failed"] = str(failure)
        case refusal:
            said["refused"] = type(refusal).__name__
            said["fields"] = asdict(refusal)  # type: ignore[arg-type]
    return json.dumps(said).encode() + b"\n" + metadata


def read_reply(body: bytes) -> Reply:
    """The reply in a body.

    Raises:
        ValueError: it is none of ours.
    """
    line, _, metadata = body.partition(b"\n")
    match json.loads(line):
        case {"contents": dict(fields), "resident_bytes": int(resident)}:
            for name in ("license_files", "warnings"):
                fields[name] = tuple(fields[name])
            return Reply(Contents(metadata=metadata, **fields), resident)
        case {"refused": str(name), "fields": dict(fields), "resident_bytes": int(resident)}:
            return Reply(_REFUSALS[name](**fields), resident)
        case {"failed": str(why), "resident_bytes": int(resident)}:
            return Reply(Failed(why), resident)
    raise ValueError("neither contents nor a refusal")
