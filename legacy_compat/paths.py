"""Paths of old addresses, taken apart, and the table of what each first segment means."""

from __future__ import annotations

from collections.abc import Callable

from attrs import field, frozen

from legacy_compat.questions import Question


@frozen(kw_only=True)
class Path:
    """A path taken apart.

    Attributes:
        root: its first segment, in lower case.
        parts: those behind it.
        slash: whether it ends in a slash.
        exact: whether it was written as it is: root in lower case, no slash twice.
        query: as sent.
        foreign: whether it was asked of a host that is not ours.
    """

    root: str
    parts: tuple[str, ...]
    slash: bool
    exact: bool
    query: bytes
    foreign: bool

    @classmethod
    def of(cls, text: str, *, runs: bool = False, query: bytes = b"", foreign: bool = False) -> Path:
        """A path as text.

        Args:
            text: decoded, without empty segments.
            runs: whether it had some.
        """
        first, *parts = text[1:].split("/")
        slash = bool(parts) and not parts[-1]
        root = first.lower()
        return cls(
            root=root,
            parts=tuple(parts[:-1] if slash else parts),
            slash=slash,
            exact=root == first and not runs,
            query=query,
            foreign=foreign,
        )

    @property
    def of_today(self) -> bool:
        """Whether routes of today may know it as it is."""
        return self.exact and not self.foreign


Rule = Callable[[Path], Question | None]
"""What a path asks for; ``None`` where it is none of the old ones, or one of today's in its very spelling."""


@frozen
class Table:
    """First segment → what answers for it."""

    rows: dict[str, Rule] = field(factory=dict)

    def add(self, *roots: str) -> Callable[[Rule], Rule]:
        """A rule for these first segments."""

        def added(rule: Rule) -> Rule:
            self.rows.update(dict.fromkeys(roots, rule))
            return rule

        return added
