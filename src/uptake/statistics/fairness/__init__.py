"""Is what is shared out shared fairly: over everybody eligible, zeros included, groups under 10 never shown."""
