"""Countly clients."""
