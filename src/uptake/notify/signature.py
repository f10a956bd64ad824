"""How deliveries of webhooks are signed: as Standard Webhooks says, over `id.timestamp.body` by HMAC-SHA256."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"


def new_secret() -> str:
    """`whsec_` and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def headers_of(*, secrets: Sequence[str], number: str, at: datetime, body: str) -> dict[str, str]:
    """The headers of one attempt: number, time of sending in seconds, and a signature by each of the secrets."""
    stamp = str(int(at.timestamp()))
    return {
        "webhook-id": number,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(_signed(one, f"{number}.{stamp}.{body}") for one in secrets),
    }


def _signed(secret: str, text: str) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode()
