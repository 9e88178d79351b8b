"""What is wrong with metadata, the most important first."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence

from pypi.domain.errors import InvalidField
from pypi.domain.metadata import standard_rules
from pypi.domain.metadata.index_rules import IndexRules
from pypi.domain.metadata.model import Metadata

_FIRST = ("metadata_version", "name", "version")


def refusals(
    metadata: Metadata,
    *,
    classifiers: Container[str],
    deprecated: Mapping[str, Sequence[str]],
    is_email: Callable[[str], str | None],
    allow_local: bool = False,
) -> list[InvalidField]:
    """Every rule that metadata breaks.

    Args:
        classifiers: the known ones.
        deprecated: classifier → those to use instead of it, perhaps none.
        is_email: from an address to what is wrong with it, ``None`` for nothing.
        allow_local: whether local versions (``1.0+ours``) may be published here.

    Returns:
        those of the standard before those of the index, then by field; whoever reports the first alone
        reports what the public index would. The work is linear, but up to seconds for the largest
        metadata admitted, so it belongs off the reactor.

    Source: core metadata specification; PEP 440, 508, 639, 685, 753, 794.
    """
    index = IndexRules(
        classifiers=classifiers, deprecated=deprecated, is_email=is_email, allow_local=allow_local
    )
    return [
        *sorted(standard_rules.refusals(metadata), key=_rank),
        *sorted(index.refusals(metadata), key=_rank),
    ]


def _rank(refusal: InvalidField) -> tuple[int, str]:
    field = refusal.field
    return (_FIRST.index(field), "") if field in _FIRST else (len(_FIRST), field)
