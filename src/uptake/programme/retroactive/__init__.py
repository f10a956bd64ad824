"""Retroactive runs: what a published rulebook would have paid more for the past is given by decision."""
