"""Codes are kept encrypted by a key derived from the installation's secret; a keyed hash tells equal ones."""

from __future__ import annotations

from django.conf import settings

from uptake.basics import sealing


def sealed(code: str) -> bytes:
    """The code, encrypted."""
    return sealing.seal(code, secret=settings.SECRET_KEY, purpose="rewards codes")


def opened(token: bytes | memoryview) -> str:
    """The code again. `uptake.basics.sealing.InvalidToken` where the installation's secret is another one."""
    return sealing.unseal(token, secret=settings.SECRET_KEY, purpose="rewards codes")


def digest(code: str) -> str:
    """64 hexadecimal digits that tell equal codes, and nothing else to one who has no key."""
    return sealing.digest(code, secret=settings.SECRET_KEY, purpose="rewards digest")
