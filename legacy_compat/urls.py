"""The table of old addresses: path and query in, what is asked for out. Nothing is looked up here.

``None`` means that an address is none of the old ones, or one of today's in its very spelling: the routes
answer it. On a host that is not ours (``foreign``) today's addresses are old ones, too.
"""

from __future__ import annotations

from collections.abc import Mapping

from legacy_compat import urls_index, urls_pypi, urls_remains
from legacy_compat.paths import Path, Rule
from legacy_compat.questions import Malformed, Question
from legacy_compat.spelling import BadQuery

TABLE: Mapping[str, Rule] = {
    **urls_pypi.TABLE.rows,
    **urls_index.TABLE.rows,
    **urls_remains.TABLE.rows,
}
"""First segment, in lower case → what answers for it."""


def question(path: Path) -> Question | None:
    """What an address asks for; ``None`` where the routes of today answer it."""
    rule = TABLE.get(path.root)
    if rule is None:
        return None
    try:
        return rule(path)
    except BadQuery:
        return Malformed(feature="legacy.home")
