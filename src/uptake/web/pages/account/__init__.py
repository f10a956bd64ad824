"""Sign-in, lock-out, the own account, language and theme."""
