"""twine, as a publisher runs it, and what it sends, recorded to be sent again."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from attrs import field, frozen

from benchmarks.figure import BenchmarkFailed
from benchmarks.processes import run

TWINE = Path(sys.executable).with_name("twine")
START, PER_FILE = 20.0, 3.0
"""Seconds a run of twine has, and for each file besides."""


def upload(url: str, user: str, password: str, files: Sequence[Path]) -> float:
    """Upload files in one run of twine; the seconds it took."""
    options = ("--config-file", os.devnull, "--non-interactive", "--disable-progress-bar")
    seconds, _ = run(
        [TWINE, "upload", *options, "--repository-url", url, *files],
        deadline=START + PER_FILE * len(files),
        env={"TWINE_USERNAME": user, "TWINE_PASSWORD": password, "NO_PROXY": "127.0.0.1"},
    )
    return seconds


@frozen
class Recorded:
    """A POST as twine sent it, without what depends on the server it went to.

    Attributes:
        headers: whole lines, without Host and Authorization.
    """

    headers: bytes
    body: bytes = field(repr=False)

    def to(self, path: str, host: str, authorization: str) -> bytes:
        """The request to a server."""
        head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {authorization}\r\n"
        return head.encode() + self.headers + b"\r\n" + self.body


def record(files: Sequence[Path]) -> list[Recorded]:
    """What one run of twine sends for these files."""
    with _recorder() as (url, taken):
        upload(url, "user", "password", files)
    if len(taken) != len(files):
        raise BenchmarkFailed(f"twine sent {len(taken)} requests for {len(files)} files")
    return taken


@contextmanager
def _recorder() -> Iterator[tuple[str, list[Recorded]]]:
    taken: list[Recorded] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            lines = (
                f"{name}: {value}\r\n"
                for name, value in self.headers.items()
                if name.lower() not in ("host", "authorization")
            )
            taken.append(Recorded("".join(lines).encode(), body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", taken
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
