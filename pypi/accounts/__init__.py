"""People: accounts, passwords, API tokens, and proving who is asking."""
