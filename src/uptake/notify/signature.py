"""How deliveries of webhooks are signed: as Standard Webhooks says, over `id.timestamp.body` by HMAC-SHA256."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime

PREFIX = "whsec_"


def new_secret() -> str:
    """`whsec_` and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def headers_of(*, secret: str, number: str, at: datetime, body: str) -> dict[str, str]:
    """The headers of one attempt: number, time of sending in seconds, and signature."""
    stamp = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = hmac.new(key, f"{number}.{stamp}.{body}".encode(), hashlib.sha256).digest()
    return {
        "webhook-id": number,
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + base64.b64encode(signed).decode(),
    }
