"""What happened: append-only, recorded by one door, read by bookmark."""
