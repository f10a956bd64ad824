"""Token buckets: how many events a key may send, and when it may come again."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Bucket:
    """Holds up to `size` tokens and gains `rate` a second."""

    rate: float
    size: float
    tokens: float
    at: float

    def take(self, wanted: int, now: float) -> float:
        """0 if the tokens were there and are taken; else the seconds until they will be (nothing is taken).

        Somebody who asks for more than the bucket holds is served when it is full, and owes the rest.
        """
        self.tokens = min(self.size, self.tokens + max(0.0, now - self.at) * self.rate)
        self.at = now
        needed = min(float(wanted), self.size)
        if self.tokens >= needed:
            self.tokens -= wanted
            return 0.0
        return (needed - self.tokens) / self.rate


@dataclass(slots=True)
class Buckets:
    """One bucket for each key, made full when first asked for; those that are full again may be forgotten."""

    rate: float
    size: float
    most: int = 10_000
    held: dict[int, Bucket] = field(default_factory=dict)

    def take(self, key: int, wanted: int, now: float) -> float:
        """As `Bucket.take`, from the key's bucket."""
        bucket = self.held.get(key)
        if bucket is None:
            if len(self.held) >= self.most:
                self.held.clear()
            bucket = self.held[key] = Bucket(self.rate, self.size, self.size, now)
        return bucket.take(wanted, now)
