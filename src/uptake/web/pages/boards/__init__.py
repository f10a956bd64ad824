"""Boards: who stands where by points."""
