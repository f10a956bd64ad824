"""What was begun where and when, whether it can be answered, and what the evaluation says."""
