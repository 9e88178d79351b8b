"""Who the embedded PostgreSQL runs as.

An ordinary user's server runs as that user. PostgreSQL refuses root, and a user without a name: theirs runs
in a user namespace (`pypi.embedded.namespace`), or, where root may not make one, as an unprivileged account
that is given the cluster's folder.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

from attrs import frozen

from pypi.embedded.errors import EmbeddedServerFailed


class AccountArguments(TypedDict, total=False):
    """Arguments of `subprocess.Popen` that change the account."""

    user: int
    group: int
    extra_groups: list[int]


@frozen
class Identity:
    """Who a server runs as; by default, whoever we are.

    Attributes:
        prefix: words that come before the server's command.
        uid: the account to change to (root only); ``None`` stays.
        gid: its group.
    """

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None

    def account(self) -> AccountArguments:
        if self.uid is None or self.gid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, folder: Path) -> None:
        """Give a folder and all in it to the server."""
        if self.uid is None or self.gid is None or folder.stat().st_uid == self.uid:
            return
        for parent, _, files in os.walk(folder, topdown=False):
            for name in files:
                os.chown(Path(parent, name), self.uid, self.gid, follow_symlinks=False)
            os.chown(parent, self.uid, self.gid, follow_symlinks=False)


def for_postgres(program: Path, home: Path, owner: int) -> Identity:
    """The identity under which this PostgreSQL runs on this machine.

    Args:
        program: the ``postgres`` binary.
        home: folder that holds the cluster; belongs to us.
        owner: uid the cluster belongs to; our own while there is none.

    Raises:
        EmbeddedServerFailed: PostgreSQL runs under none.
    """
    if os.geteuid() != 0 and _name_of(os.geteuid()):
        return Identity()
    reasons = []
    for identity in _candidates(owner):
        reason = _objection(identity, program, home)
        if not reason:
            return identity
        reasons.append(reason)
    raise EmbeddedServerFailed(
        f"PostgreSQL does not run as uid {os.geteuid()}, and no other way was found "
        f"({'; '.join(reasons) or 'this system has no other account'}): "
        "start Cheeseshop as an ordinary user, or set database.url."
    )


def _candidates(owner: int) -> Iterator[Identity]:
    account = _unprivileged()
    if owner == os.geteuid() and account:
        script = Path(__file__).with_name("namespace.py")
        yield Identity(
            prefix=(sys.executable, "-I", "-S", str(script), str(account.pw_uid), str(account.pw_gid))
        )
    if os.geteuid() == 0 and owner != 0:
        with suppress(KeyError):
            account = pwd.getpwuid(owner)
    if os.geteuid() == 0 and account:
        yield Identity(uid=account.pw_uid, gid=account.pw_gid)


def _objection(identity: Identity, program: Path, home: Path) -> str:
    """Why PostgreSQL cannot run so; empty when it can."""
    if identity.uid is not None:
        home.chmod(0o711)
    shell = shutil.which("sh") or "/bin/sh"
    probe = [*identity.prefix, shell, "-c", 'cd "$1" && exec "$2" --version', "sh", str(home), str(program)]
    try:
        done = subprocess.run(probe, capture_output=True, text=True, timeout=10, **identity.account())
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    if done.returncode == 0:
        return ""
    who = f"account {_name_of(identity.uid)}: " if identity.uid is not None else ""
    return who + (done.stderr.strip() or f"status {done.returncode}")


def _unprivileged() -> pwd.struct_passwd | None:
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    return next((entry for entry in pwd.getpwall() if entry.pw_uid != 0), None)


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""
