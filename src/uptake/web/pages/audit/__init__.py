"""The audit log: who did what where, to read and to take away."""
