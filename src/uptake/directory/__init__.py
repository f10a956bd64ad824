"""Who exists, who may see whom, who holds what."""
