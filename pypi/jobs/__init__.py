"""What happens by itself: one file for each job, each safe to run twice."""
