"""The least that Python can do for a request: read it, whatever it says, and send the same bytes.

``python -m benchmarks.bare_loop FILE`` listens on a free port of loopback, says which, and answers with what
is in the file. It understands nothing, and serves nobody but the figure ``floor``.
"""

from __future__ import annotations

import gc
import select
import socket
import sys
from contextlib import suppress
from pathlib import Path

BATCH = 64
READ = 1 << 16


def serve(listening: socket.socket, answer: bytes) -> None:
    """Answer for ever."""
    epoll, ready = select.epoll(), listening.fileno()
    epoll.register(ready, select.EPOLLIN)
    connections: dict[int, socket.socket] = {}
    gc.collect()
    gc.freeze()
    while True:
        for fd, _ in epoll.poll(-1, BATCH):
            if fd == ready:
                new, _ = listening.accept()
                new.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connections[new.fileno()] = new
                epoll.register(new.fileno(), select.EPOLLIN)
            elif not _answered(connections[fd], answer):
                epoll.unregister(fd)
                connections.pop(fd).close()


def _answered(connection: socket.socket, answer: bytes) -> bool:
    with suppress(OSError):
        if connection.recv(READ):
            connection.send(answer)
            return True
    return False


if __name__ == "__main__":
    server = socket.create_server(("127.0.0.1", 0), backlog=512)
    print(f"port {server.getsockname()[1]}", flush=True)
    serve(server, Path(sys.argv[1]).read_bytes())
