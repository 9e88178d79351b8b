"""The benchmarks themselves: what they make up, and how they judge."""
