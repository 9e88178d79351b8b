"""What the index knows of packages: values and rules, pure functions, no I/O."""
