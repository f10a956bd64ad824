"""Named figures of places and people, computed from the activity engine with denominators from the directory."""
