"""Rooms in which people manage their projects."""
