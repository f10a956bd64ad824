"""Segments: who did, did not, stopped, started or regularly does what; made by a form, used in every question."""
