"""Fairness: how points fall on departments and roles."""
