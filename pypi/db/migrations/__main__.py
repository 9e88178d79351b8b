"""``python -m pypi.db.migrations URL``: migrate in a process of its own."""

from __future__ import annotations

import sys

from pypi.db.migrations import SchemaBehind, apply


def main() -> None:
    """Migrate the database whose URL is the only argument; print from where to where."""
    try:
        before, after = apply(sys.argv[1])
    except SchemaBehind as error:
        sys.exit(str(error))
    print(f"{before or 'empty'} -> {after}")


if __name__ == "__main__":
    main()
