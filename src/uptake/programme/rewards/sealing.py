"""Codes are kept encrypted by a key derived from the installation's secret; a keyed hash tells equal ones."""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


def sealed(code: str) -> bytes:
    """The code, encrypted (AES-128-CBC with HMAC-SHA256, as Fernet)."""
    return _fernet(settings.SECRET_KEY).encrypt(code.encode())


def opened(token: bytes | memoryview) -> str:
    """The code again. cryptography.fernet.InvalidToken where the installation's secret is another one."""
    return _fernet(settings.SECRET_KEY).decrypt(bytes(token)).decode()


def digest(code: str) -> str:
    """64 hexadecimal digits that tell equal codes, and nothing else to one who has no key."""
    return hmac.new(_derived(settings.SECRET_KEY, b"digest"), code.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=4)
def _fernet(secret: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(_derived(secret, b"codes")))


def _derived(secret: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"uptake rewards " + purpose).derive(secret.encode())
