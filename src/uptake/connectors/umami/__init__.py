"""Umami clients."""
