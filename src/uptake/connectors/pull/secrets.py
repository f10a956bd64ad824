"""Passwords and keys of systems that are asked: sealed at rest, opened to sign in, never shown again."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from django.conf import settings

from uptake.basics.sealing import InvalidToken, seal, unseal
from uptake.connectors.pull.protocol import SignInRefused

PURPOSE = "connectors secrets"


def sealed(secrets: Mapping[str, str]) -> bytes:
    """The secrets, encrypted by a key derived from the installation's."""
    return seal(orjson.dumps(dict(secrets)).decode(), secret=settings.SECRET_KEY, purpose=PURPOSE)


def opened(token: bytes | memoryview) -> dict[str, str]:
    """The secrets again. SignInRefused where the installation's secret is another one: they are to be given anew."""
    if not bytes(token):
        return {}
    try:
        plain = unseal(token, secret=settings.SECRET_KEY, purpose=PURPOSE)
    except InvalidToken as failure:
        raise SignInRefused("", code="secrets_lost") from failure
    found: dict[str, str] = orjson.loads(plain)
    return found
