"""Impact: what was begun where, whether it can be answered, and what the evaluation says."""
