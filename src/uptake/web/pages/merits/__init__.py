"""Badges and challenges: what one has and can join, and the desk of those who keep them."""
