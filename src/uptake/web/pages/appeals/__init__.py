"""Appeals: one's own, and the desk of those who answer."""
