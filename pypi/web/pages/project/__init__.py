"""The pages of a project, and what stands on them."""
