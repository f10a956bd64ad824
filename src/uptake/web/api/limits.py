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
MAX_QUESTION = 1_000_000
"""Bytes of a question: it may name many people."""
QUESTIONS_PER_SECOND = 2.0
"""Questions of one person, after a burst of `QUESTIONS_AT_ONCE`."""
QUESTIONS_AT_ONCE = 20.0
QUESTION_SECONDS = 30.0
"""For how long a question waits for its turn, and how long its answer may take."""
QUESTIONS_WAITING = 4
"""Questions of one person that wait while another of theirs is answered."""
QUESTIONS_TOGETHER = 4
"""Questions of all that the engine answers side by side."""
MAX_SEATS = 5_000
"""Seats in one request."""
SEAT_LISTS_PER_SECOND = 1.0
SEAT_LISTS_AT_ONCE = 20.0
"""Requests of one key, after a silence."""
HOOKS_PER_SECOND = 100.0
"""What one connected system tells by itself, after a burst of `HOOKS_AT_ONCE`."""
HOOKS_AT_ONCE = 1_000.0
