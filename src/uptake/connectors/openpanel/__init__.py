"""OpenPanel clients."""
