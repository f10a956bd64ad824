"""Settings, addresses and the server: wires the house together."""
