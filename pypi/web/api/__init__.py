"""The API for programs: every act on projects, by a token or a password, and the description of it all."""
