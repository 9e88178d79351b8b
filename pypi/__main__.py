"""``python -m pypi …`` is ``cheeseshop …``."""

from pypi.cli.main import main

main()
