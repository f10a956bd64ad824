"""The working calendar of each place, month by month."""
