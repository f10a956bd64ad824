"""What runs unasked: each job with its last run, how long it took, and how it failed."""
