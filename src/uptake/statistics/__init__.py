"""Estimators, indices and intervals: pure functions on arrays; no Django."""
