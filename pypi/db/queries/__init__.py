"""All SQL of the index: one module for each noun, each query a text, a row and a function."""
