"""Uptake (活用): events in, points and answers out."""

__version__ = "0.1.0"
