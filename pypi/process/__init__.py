"""The processes of a service: one alone, or a supervisor, its workers, and what they stand on.

``supervisor``, and all it imports, knows nothing of an index: it holds the sockets, starts workers and tells
them when to go. ``worker``, ``ground`` and ``alone`` are what is started, and import the application.
"""
