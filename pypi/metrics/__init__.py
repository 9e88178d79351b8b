"""Metrics: figures of all parts, in the formats Prometheus reads."""

from pypi.metrics.exposition import Metrics, merged
from pypi.metrics.heartbeat import Heartbeat

__all__ = ["Heartbeat", "Metrics", "merged"]
