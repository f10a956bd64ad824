"""The checks every evaluation must pass: each gives a light and the number it is about."""
