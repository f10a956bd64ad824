"""The committee: proposals, votes and how they go."""
