"""A stand-in for Fastly's API on a local port, which checks every call, and fails as it is told to."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import MSG_PEEK
from threading import Event, Lock, Thread
from typing import Any

from attrs import define, field

from tests.support.ports import free_port

SERVICE, TOKEN = "SU1Z0isxPaozGVKXdv0eY", "t0ken"


@define(eq=False)
class FastlyServer:
    """The API, in threads of its own, so that it answers whatever the tests' own reactor does.

    Attributes:
        mood: how it answers: ``well``, ``hangs``, ``stalls`` (half-way), ``closes``, a status, or one of
            ``ODD``, such as ``error`` (in an answer of 200) and ``nothing`` (acknowledged of it).
        more: headers of an answer that is not well.
        purged: the keys of every call that was acknowledged, in order; ``None`` for a purge of everything.
        hard: the keys of those that were not soft.
        calls: all there were.
        wrong: what was not as the API's reference has it.
        open: connections now, and the most there were.
    """

    mood: str = "well"
    more: dict[str, str] = field(factory=dict)
    purged: list[list[str] | None] = field(factory=list)
    hard: list[str] = field(factory=list)
    calls: int = 0
    wrong: list[str] = field(factory=list)
    open: int = 0
    most: int = 0
    _ended: Event = field(factory=Event, init=False)
    _lock: Any = field(factory=Lock, init=False)
    _server: ThreadingHTTPServer | None = field(default=None, init=False)
    port: int = field(factory=free_port, init=False)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> FastlyServer:
        """Answer; on the same port every time.

        Returns:
            itself.
        """
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                owner._count(1)
                super().setup()

            def finish(self) -> None:
                super().finish()
                owner._count(-1)

            def do_POST(self) -> None:
                owner._answer(self)

            def log_message(self, *_args: object) -> None:
                """Be quiet."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_args: object) -> None:
                """Clients that leave are no news."""

        self._ended.clear()
        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Refuse connections; what hangs is let go."""
        self._ended.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def keys(self) -> list[str]:
        """All keys that were purged, in order, as often as they were."""
        return [key for call in self.purged for key in call or ()]

    def _count(self, change: int) -> None:
        with self._lock:
            self.open += change
            self.most = max(self.most, self.open)

    def _answer(self, call: Any) -> None:
        body = call.rfile.read(int(call.headers.get("Content-Length", 0)))
        with self._lock:
            self.calls += 1
            mood = self.mood
        keys = self._checked(call, body)
        if mood == "hangs":
            self._hang(call.connection)
        if mood in ("hangs", "closes"):
            call.close_connection = True
            return
        if mood == "well":
            with self._lock:
                self.purged.append(keys)
                if "Fastly-Soft-Purge" not in call.headers:
                    self.hard += keys or ()
            said: object = {"status": "ok"} if keys is None else dict.fromkeys(keys, "108-13-97")
            self._send(call, 200, json.dumps(said).encode())
        elif mood.isdigit():
            self._send(call, int(mood), b'{"msg": "no"}', self.more)
        else:
            self._send(call, 200, _ODD[mood], self.more, half=mood in ("half", "stalls"))
            if mood == "stalls":
                self._hang(call.connection)

    def _hang(self, connection: Any) -> None:
        """Say nothing until the caller has gone."""
        connection.settimeout(0.05)
        while not self._ended.is_set():
            try:
                if not connection.recv(1, MSG_PEEK):
                    return
            except TimeoutError:
                continue
            except OSError:
                return

    def _checked(self, call: Any, body: bytes) -> list[str] | None:
        headers = {name.lower(): value for name, value in call.headers.items()}
        self._expect(headers.get("fastly-key") == TOKEN, "the key")
        self._expect(headers.get("accept") == "application/json", "Accept")
        if call.path == f"/service/{SERVICE}/purge_all":
            self._expect(body == b"", "a body")
            return None
        self._expect(call.path == f"/service/{SERVICE}/purge", f"the path {call.path}")
        self._expect(headers.get("fastly-soft-purge", "1") == "1", "softly")
        self._expect(headers.get("content-type") == "application/json", "Content-Type")
        said = json.loads(body)
        self._expect(said.keys() == {"surrogate_keys"}, f"the members {said.keys()}")
        keys: list[str] = said["surrogate_keys"]
        self._expect(0 < len(keys) <= 256, f"{len(keys)} keys")
        self._expect(len(set(keys)) == len(keys), "keys twice")
        self._expect(all(0 < len(key) <= 1024 and " " not in key for key in keys), "strange keys")
        return keys

    def _expect(self, holds: bool, what: str) -> None:
        if not holds:
            self.wrong.append(what)

    def _send(
        self, call: Any, status: int, body: bytes, more: dict[str, str] | None = None, *, half: bool = False
    ) -> None:
        call.send_response(status)
        call.send_header("Content-Length", str(len(body) * (2 if half else 1)))
        for name, value in (more or {}).items():
            call.send_header(name, value)
        call.end_headers()
        call.wfile.write(body)
        if half:
            call.wfile.flush()
            call.close_connection = True


_ODD = {
    "error": b'{"status": "error", "msg": "try again"}',
    "garbage": b"<html>\xff</html>",
    "deep": b"[" * 100_000,
    "list": b'["ok"]',
    "nothing": b"{}",
    "large": b'{"status": "ok", "pad": "' + b"x" * 300_000 + b'"}',
    "half": b'{"status": "ok"',
}
_ODD["stalls"] = _ODD["half"]
ODD = tuple(_ODD)
"""Moods in which it answers 200 and acknowledges nothing."""
