"""Asks addresses of business systems whether they answer, and writes it down as events `system.probed`."""
