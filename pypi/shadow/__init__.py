"""Asking again what was asked before: logs are replayed, and live traffic is shown to another server."""
