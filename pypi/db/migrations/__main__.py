"""``python -m pypi.db.migrations``: migrate in a process of its own.

The database's URL is read from standard input: arguments can be read by everybody on the machine, and the URL
may hold a password.
"""

from __future__ import annotations

import sys

from pypi.db.migrations import SchemaBehind, apply


def main() -> None:
    """Migrate the database whose URL standard input holds; print from where to where."""
    try:
        before, after = apply(sys.stdin.readline().strip())
    except SchemaBehind as error:
        sys.exit(str(error))
    print(f"{before or 'empty'} -> {after}")


if __name__ == "__main__":
    main()
