"""Activation: what became of the seats that were given, and whether the data is there to tell."""
