"""Snowplow trackers."""
