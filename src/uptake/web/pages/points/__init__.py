"""My points: what there is to spend, where it came from, and why."""
