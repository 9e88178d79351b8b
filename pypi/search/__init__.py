"""Finding projects: what is looked for, and who finds it."""
