"""What runs unasked: one visible list of jobs and the loop that runs it."""
