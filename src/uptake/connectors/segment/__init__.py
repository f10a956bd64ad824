"""Segment and RudderStack clients."""
