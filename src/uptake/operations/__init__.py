"""The park's modules, each a declaration on one spine (they follow the core)."""
