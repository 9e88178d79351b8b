"""Where those who run the index look after it: with an account that does, and a second factor."""
