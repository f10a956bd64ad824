"""Rulebooks to start from."""
