"""Rewards for people, and the desk that offers and hands them out."""
