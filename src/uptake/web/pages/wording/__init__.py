"""Pages on which a place words its messages."""
