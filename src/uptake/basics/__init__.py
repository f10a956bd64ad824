"""Small values: periods, business days, keys, text; no Django, no network."""
