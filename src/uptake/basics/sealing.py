"""Texts kept encrypted by a key derived from the installation's secret, one key for each purpose; and keyed hashes."""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

__all__ = ["InvalidToken", "digest", "seal", "unseal"]


def seal(text: str, *, secret: str, purpose: str) -> bytes:
    """The text, encrypted (AES-128-CBC with HMAC-SHA256, as Fernet) for this purpose only."""
    return _fernet(secret, purpose).encrypt(text.encode())


def unseal(token: bytes | memoryview, *, secret: str, purpose: str) -> str:
    """The text again. InvalidToken where the secret or the purpose is another one."""
    return _fernet(secret, purpose).decrypt(bytes(token)).decode()


def digest(text: str, *, secret: str, purpose: str) -> str:
    """64 hexadecimal digits that tell equal texts, and nothing else to one who has no key."""
    return hmac.new(_derived(secret, purpose), text.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=8)
def _fernet(secret: str, purpose: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(_derived(secret, purpose)))


def _derived(secret: str, purpose: str) -> bytes:
    info = f"uptake {purpose}".encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret.encode())
