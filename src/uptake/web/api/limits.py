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
MAX_PAGE_BODY = 65_536
"""Bytes of what a web page sends at once: what a browser lets a beacon carry."""
MAX_PAGE_EVENTS = 100
"""Events a web page sends at once."""
PAGE_EVENTS_PER_SECOND = 5.0
"""Events of one visitor's address, after a burst of `MAX_PAGE_EVENTS`."""
PAGE_EVENT_KEPT_DAYS = 7
"""For how long a browser that was not connected keeps an event to send it later."""
