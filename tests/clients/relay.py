"""A TCP relay that breaks one answer off, as a bad network does."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from urllib.parse import urlsplit

from attrs import define, field

CHUNK = 4096


@define(eq=False)
class Relay:
    """Hands bytes on to a server and back; in the first answer to a certain request only so many.

    As a context manager it listens while it is open.

    Attributes:
        url: of the server.
        breaks: bytes in the head of the request whose answer is broken off, once.
        after: bytes of that answer that get through.
        heads: the bytes clients sent, one for each read.
    """

    url: str
    breaks: bytes
    after: int
    heads: list[bytes] = field(factory=list, init=False)
    broken: int = field(default=0, init=False)
    _listening: socket.socket = field(factory=lambda: socket.create_server(("127.0.0.1", 0)), init=False)

    @property
    def proxy(self) -> str:
        """The relay as an HTTP proxy, which is what a client may take it for."""
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def __enter__(self) -> Relay:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Wakes the thread that waits in accept, which closing alone does not.
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        address = urlsplit(self.url)
        with client, socket.create_connection((address.hostname, address.port)) as server:
            left = [-1]
            back = threading.Thread(target=self._back, args=(server, client, left), daemon=True)
            back.start()
            with suppress(OSError):
                while data := client.recv(CHUNK):
                    self.heads.append(data)
                    if self.breaks in data and not self.broken:
                        self.broken += 1
                        left[0] = self.after
                    server.sendall(data)
            with suppress(OSError):
                server.shutdown(socket.SHUT_WR)
            back.join()

    def _back(self, server: socket.socket, client: socket.socket, left: list[int]) -> None:
        with suppress(OSError):
            while data := server.recv(CHUNK):
                if left[0] >= 0:
                    data = data[: left[0]]
                    left[0] -= len(data)
                client.sendall(data)
                if left[0] == 0:
                    break
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
