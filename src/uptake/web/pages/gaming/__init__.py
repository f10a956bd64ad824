"""Points under review: what was found, its evidence, and what those who look say of it."""
