"""Signing in with the login of another system: who it may vouch for, and whose login an account is."""
