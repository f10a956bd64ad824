"""Activity: the drill from park to company, department, person and events, for a period and the one before."""
