"""Matomo trackers."""
