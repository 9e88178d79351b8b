"""Run a command as an unprivileged user on paper: ``python -I -S namespace.py UID GID COMMAND…``.

PostgreSQL refuses to run as root. Here it sees itself as UID in a user namespace where that number stands
for whoever started it, so its files stay theirs, under folders nobody else may enter. The command has no
privilege of root. Run as a script of its own, for only a process of one thread may enter a namespace.

Source: user_namespaces(7).
"""

import ctypes
import os
import sys

CLONE_NEWUSER = 0x10000000


def enter_namespace(uid: int, gid: int) -> None:
    """Become ``uid`` and ``gid`` in a new user namespace; OSError where the kernel forbids it."""
    outside_uid, outside_gid = os.geteuid(), os.getegid()
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    for name, line in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {outside_uid} 1"),
        ("gid_map", f"{gid} {outside_gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(line)


if __name__ == "__main__":
    try:
        enter_namespace(int(sys.argv[1]), int(sys.argv[2]))
        os.execv(sys.argv[3], sys.argv[3:])  # noqa: S606
    except OSError as error:
        sys.exit(f"user namespace: {error}")
