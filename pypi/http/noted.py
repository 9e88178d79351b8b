"""What is counted of a route: by the feature it serves, where it serves one."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field

from caching.stats import RouteStats
from pypi.domain.features import FEATURES

Named = str | Callable[[str], str]
"""A feature's name, or how it follows from the variant of ``caching.policy.Policy`` that is meant."""


class FeatureStats(RouteStats):
    """Counters of what one feature answered on one route.

    Attributes:
        feature: its name.
    """

    __slots__ = ("feature",)

    def __init__(self, route: str, feature: str) -> None:
        super().__init__(route)
        self.feature = feature


@define(eq=False)
class Noted:
    """The counters of a route: one set for each of its features.

    Attributes:
        path: its pattern.
        feature: which one it serves, if any.
        plain: of what no feature of it answered.
    """

    path: str
    feature: Named | None = None
    plain: RouteStats = field(init=False)
    _by: dict[str, FeatureStats] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self.plain = RouteStats(self.path)

    def by(self, name: str) -> RouteStats:
        """Of a feature."""
        found = self._by.get(name)
        if found is None:
            found = self._by[name] = FeatureStats(self.path, name)
        return found


def feature_of(stats: RouteStats) -> str:
    """Which feature these counters are of; empty where they are of none."""
    return getattr(stats, "feature", "")


def named(feature: Named, variant: str) -> str:
    """The name of the feature that answers with this variant.

    Raises:
        KeyError: there is no such feature in ``pypi.domain.features``.
    """
    return FEATURES[feature if isinstance(feature, str) else feature(variant)].name
