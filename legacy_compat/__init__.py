"""The old world: every address the index ever had is answered, leads on in one step, or is gone."""
