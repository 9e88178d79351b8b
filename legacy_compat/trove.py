"""The numbers classifiers had in the first index, as its old links name them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib.resources import files as resources

_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


def _read() -> Mapping[int, str]:
    lines = resources("legacy_compat").joinpath("trove_ids.tsv").read_text("utf-8").splitlines()[1:]
    rows = (line.partition("\t") for line in lines if line)
    return {int(number): name for number, _, name in rows}


CLASSIFIERS: Mapping[int, str] = _read()
"""Number → classifier."""


def named(numbers: Iterable[str]) -> list[str]:
    """The classifiers of these numbers, in their order, each once; what is none is passed over."""
    known = (CLASSIFIERS.get(int(number)) for number in numbers if _NUMBER.fullmatch(number))
    return list(dict.fromkeys(name for name in known if name is not None))
