"""Overview: how a park or company is doing, and what needs attention."""
