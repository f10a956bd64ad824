"""Reads an ID token as OpenID Connect Core 3.1.3.7 asks: signed by the issuer, for us, now, for this sign-in."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

import jwt

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signed by a private key: never "none", never by a secret that a client shares (HS256)."""
LEEWAY = 60
"""Seconds by which the two clocks may differ."""


class BadToken(Exception):
    """The token does not prove who somebody is; the text says why, for those who set it up."""


def read_id_token(
    token: str, *, keys: Mapping[str, Any], issuer: str, client: str, nonce: str, now: float
) -> dict[str, Any]:
    """The claims. `keys` is the issuer's JWK Set, `now` seconds since 1970. Raises BadToken."""
    try:
        header = jwt.get_unverified_header(token)
        algorithm = header.get("alg")
        if algorithm not in ALGORITHMS:
            raise BadToken(f"signed by {algorithm!s:.20}, which proves nothing")
        key = _key(keys, header.get("kid"), algorithm)
        claims: dict[str, Any] = jwt.decode(
            token,
            key=key,
            algorithms=[algorithm],
            issuer=issuer,
            audience=client,
            options={"require": ["iss", "sub", "aud", "exp", "iat"], "verify_exp": False, "verify_iat": False},
        )
    except jwt.PyJWTError as failure:
        raise BadToken(f"{type(failure).__name__}: {failure}"[:200]) from failure
    _check_time(claims, now)
    audience = claims["aud"]
    party = claims.get("azp")
    if isinstance(audience, list) and len(audience) > 1 and party is None:
        raise BadToken("for several clients, without saying which one asked")
    if party is not None and party != client:
        raise BadToken("another client asked for it")
    said = claims.get("nonce")
    if not nonce or not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
        raise BadToken("of another sign-in (nonce)")
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise BadToken("names nobody (sub)")
    return claims


def _check_time(claims: Mapping[str, Any], now: float) -> None:
    expires, issued, begins = claims["exp"], claims["iat"], claims.get("nbf", 0)
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in (expires, issued, begins)):
        raise BadToken("its times are no numbers")
    if now > expires + LEEWAY:
        raise BadToken("expired (exp)")
    if issued > now + LEEWAY or begins > now + LEEWAY:
        raise BadToken("not valid yet (iat, nbf): one of the two clocks is wrong")


def _key(keys: Mapping[str, Any], kid: Any, algorithm: str) -> jwt.PyJWK:
    rows = keys.get("keys")
    fits = [
        one
        for one in (rows if isinstance(rows, list) else [])
        if isinstance(one, dict)
        and one.get("kty") in ("RSA", "EC", "OKP")
        and one.get("use", "sig") == "sig"
        and one.get("alg", algorithm) == algorithm
        and (kid is None or one.get("kid") == kid)
    ]
    if len(fits) != 1:
        raise BadToken("none of the issuer's keys signed it" if not fits else "does not say which key signed it")
    return jwt.PyJWK(fits[0], algorithm=algorithm)
