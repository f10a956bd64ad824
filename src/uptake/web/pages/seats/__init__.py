"""Seats: who was given which product, brought in by a list, invited and taken back; and what the products are."""
