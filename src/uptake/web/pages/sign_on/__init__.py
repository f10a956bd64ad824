"""Pages and protocols of signing in with the login of another system."""
