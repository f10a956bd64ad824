"""The demo park: a seeded generator with planted facts, the doors that fill it in, and a simulator that goes on."""
