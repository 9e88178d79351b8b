"""A small S3 API that keeps objects in memory, and misbehaves when told to."""

from __future__ import annotations

import hashlib
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

ERROR = "<?xml version='1.0'?><Error><Code>{code}</Code><Message>injected</Message></Error>"

Misbehave = Callable[[str], str]
"""What a request is → what goes wrong with it.

Requests: ``put``, ``head``, ``get``, ``begin``, ``part``, ``complete``, ``abort``.
Faults: ``500``; ``503`` (SlowDown); ``507`` (no room); ``403``; ``stall``; ``hang up``; ``error in 200``;
``empty 200``.
Of a ``get``: ``truncate``; ``stall inside``; ``other range``.
Of what stores: ``lose`` (accept and forget); ``damage`` (keep other bytes); ``cut`` (keep fewer bytes).
``""``: nothing.
"""


class StubS3(ThreadingHTTPServer):
    """Listens on loopback as long as the ``with`` lasts.

    Attributes:
        objects: key → bytes.
        digests: key → SHA-256 as the API tells it; of an object of parts, that of the digests of the parts.
        parts: upload id → part number → bytes.
        misbehave: decides what goes wrong with each request.
        requests: what was asked for, in order.
        has_checksums: whether it tells a SHA-256, as not every implementation does.
        released: ends whatever stalls.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reset()

    def reset(self) -> None:
        """Forget everything, and behave."""
        self.misbehave: Misbehave = lambda request: ""
        self.objects: dict[str, bytes] = {}
        self.digests: dict[str, str] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.requests: list[str] = []
        self.has_checksums = True
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> StubS3:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.released.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: Any) -> None:
        """Clients that hang up are part of the play."""


class _Handler(BaseHTTPRequestHandler):
    server: StubS3
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        body = self._body()
        given = self.headers.get("x-amz-checksum-sha256")
        kind = "part" if "partNumber" in self.query else "put"
        fault = self._fault(kind)
        if fault is None:
            return
        if given != _sha256(body):
            self._error(400, "BadDigest")
            return
        kept = {"damage": body[:-1] + b"?", "cut": body[:-1]}.get(fault, body)
        if kind == "part" and self.query["uploadId"][0] not in self.server.parts:
            self._error(404, "NoSuchUpload")
            return
        if fault != "lose" and kind == "part":
            self.server.parts[self.query["uploadId"][0]][int(self.query["partNumber"][0])] = kept
        elif fault != "lose":
            self.server.objects[self.key] = kept
            self.server.digests[self.key] = _sha256(kept)
        self._answer(200, ETag=f'"{hashlib.md5(kept).hexdigest()}"')

    def do_HEAD(self) -> None:
        if self._fault("head") is None:
            return
        data = self.server.objects.get(self.key)
        if data is None:
            self._answer(404)
            return
        checksum = (
            {"x-amz-checksum-sha256": self.server.digests[self.key]} if self.server.has_checksums else {}
        )
        self._answer(200, data, ETag=f'"{hashlib.md5(data).hexdigest()}"', **checksum)

    def do_GET(self) -> None:
        fault = self._fault("get")
        if fault is None:
            return
        data = self.server.objects.get(self.key)
        if data is None:
            self._error(404, "NoSuchKey")
            return
        first, last = map(int, self.headers["Range"].removeprefix("bytes=").split("-"))
        part = data[first : last + 1]
        place = f"bytes {first}-{last}/{len(data)}"
        if fault == "other range":
            place = f"bytes {first + 1}-{last + 1}/{len(data)}"
        cut = len(part) // 2 if fault in ("truncate", "stall inside") else None
        self._answer(206, part, cut, ETag=f'"{hashlib.md5(data).hexdigest()}"', **{"Content-Range": place})
        if fault == "stall inside":
            self.server.released.wait(10)
        if cut is not None:
            self.close_connection = True

    def do_POST(self) -> None:
        body = self._body()
        kind = "begin" if "uploads" in self.query else "complete"
        fault = self._fault(kind)
        if fault is None:
            return
        if kind == "begin":
            upload_id = f"upload-{len(self.server.requests)}"
            self.server.parts[upload_id] = {}
            self._xml(
                f"<InitiateMultipartUploadResult><UploadId>{upload_id}</UploadId></InitiateMultipartUploadResult>"
            )
            return
        sent = self.server.parts.get(self.query["uploadId"][0])
        if sent is None or body.count(b"<Part>") != len(sent):
            self._error(404 if sent is None else 400, "NoSuchUpload" if sent is None else "InvalidPart")
            return
        if fault != "lose":
            parts = [sent[number] for number in sorted(sent)]
            self.server.objects[self.key] = b"".join(parts)
            digests = b"".join(hashlib.sha256(part).digest() for part in parts)
            self.server.digests[self.key] = f"{_sha256(digests)}-{len(parts)}"
            del self.server.parts[self.query["uploadId"][0]]
        self._xml("<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>")

    def do_DELETE(self) -> None:
        if self._fault("abort") is not None:
            self.server.parts.pop(self.query.get("uploadId", [""])[0], None)
            self._answer(204)

    def _fault(self, kind: str) -> str | None:
        """What goes wrong inside the request; ``None`` when it is dealt with already."""
        self.server.requests.append(kind)
        fault = self.server.misbehave(kind)
        match fault:
            case "500":
                self._error(500, "InternalError")
            case "503":
                self._error(503, "SlowDown")
            case "507":
                self._error(507, "XMinioStorageFull")
            case "403":
                self._error(403, "AccessDenied")
            case "error in 200":
                self._xml(ERROR.format(code="InternalError"))
            case "empty 200":
                self._answer(200)
            case "stall":
                self.server.released.wait(10)
                self.close_connection = True
            case "hang up":
                self.close_connection = True
            case _:
                return fault
        return None

    @property
    def key(self) -> str:
        return unquote(urlsplit(self.path).path).split("/", 2)[2]

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.path).query, keep_blank_values=True)

    def _body(self) -> bytes:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.wfile.flush()
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _xml(self, text: str) -> None:
        self._answer(200, text.encode(), **{"Content-Type": "application/xml"})

    def _error(self, status: int, code: str) -> None:
        self._answer(status, ERROR.format(code=code).encode() if self.command != "HEAD" else b"")

    def _answer(self, status: int, body: bytes = b"", cut: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Last-Modified", self.date_time_string(time.time()))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:cut])
            self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _sha256(data: bytes) -> str:
    return b64encode(hashlib.sha256(data).digest()).decode("ascii")
