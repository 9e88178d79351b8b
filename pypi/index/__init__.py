"""What is on the index: one question, and who answers it."""
