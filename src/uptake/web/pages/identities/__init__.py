"""Unmapped people: the ids of sources nobody was found for, and who they are."""
