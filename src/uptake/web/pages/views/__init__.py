"""Saved views: pages of questions under a name, for oneself and for roles."""
