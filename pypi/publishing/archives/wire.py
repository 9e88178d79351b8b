"""What an inspecting process and its parent say to each other, in the frames of ``children.confined``.

A job is a JSON object with ``path`` and ``filename``, its reply a line of JSON, and after it the metadata's
bytes.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from attrs import asdict, frozen

from pypi.domain.errors import Invalid, InvalidDistribution, InvalidField
from pypi.publishing.archives import contents
from pypi.publishing.archives.contents import Contents

OVERHEAD_BYTES = 1 << 20
"""Room in a reply for what is not metadata."""

_REFUSALS: dict[str, type[Invalid]] = {
    refusal.__name__: refusal
    for refusal in (
        InvalidDistribution,
        InvalidField,
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


Result = Contents | Invalid | Failed
"""What the archive holds, or why it is refused, or why nobody knows."""


def write_job(job: Job) -> bytes:
    """The body that asks for an inspection."""
    return json.dumps({"path": os.fspath(job.path), "filename": job.filename}).encode()


def read_job(body: bytes) -> Job:
    """The job in a body."""
    said = json.loads(body)
    return Job(Path(said["path"]), said["filename"])


def write_result(result: Result) -> bytes:
    """The body that says how a job ended."""
    metadata = b""
    said: dict[str, object] = {}
    match result:
        case Contents():
            metadata = result.metadata
            said["contents"] = asdict(result, filter=lambda attribute, _: attribute.name != "metadata")
        case Failed():
            said["failed"] = str(result)
        case refusal:
            said["refused"] = type(refusal).__name__
            said["fields"] = asdict(refusal)  # type: ignore[arg-type]
    return json.dumps(said).encode() + b"\n" + metadata


def read_result(body: bytes) -> Result:
    """How a job ended.

    Raises:
        ValueError: the body is none of ours.
    """
    line, _, metadata = body.partition(b"\n")
    match json.loads(line):
        case {"contents": dict(fields)}:
            for name in ("license_files", "warnings"):
                fields[name] = tuple(fields[name])
            return Contents(metadata=metadata, **fields)
        case {"refused": str(name), "fields": dict(fields)}:
            return _REFUSALS[name](**fields)
        case {"failed": str(why)}:
            return Failed(why)
    raise ValueError("neither contents nor a refusal")
