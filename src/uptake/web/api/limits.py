"""What intake takes at most."""

from __future__ import annotations

MAX_BODY = 5_000_000
"""Bytes as sent."""
MAX_UNPACKED = 20_000_000
"""Bytes after gunzip."""
MAX_EVENTS = 5_000
"""Events in one request."""
EVENTS_AT_ONCE = 2_000
"""Events after which one commit takes no further request."""
BURST_SECONDS = 10
"""For how long a key that was silent may send faster than its rate."""
RETRY_SECONDS = 1
"""When a sender that found the queue full may come again."""
