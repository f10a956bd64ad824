"""SAML 2.0 in this house: what we are called, who somebody is, and what can go wrong; the work is in `saml_reading`.

The extra `uptake[saml]` is needed: without it `missing` says why, and everything else goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from types import ModuleType
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from uptake.directory.sign_on.models import SignOn

NAME_ID = "NameID"
"""What is written where an attribute is named, for the NameID itself."""
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"


def reading() -> ModuleType:
    """What reads and writes SAML, loaded where it is asked for: 13 MB with its libraries."""
    from uptake.web.pages.sign_on import saml_reading

    return saml_reading


def missing() -> str:
    """Why SAML cannot be used here; empty: it can."""
    return str(reading().MISSING)


class NotMetadata(ValueError):
    """No metadata of one system that people can be sent to by a link."""


class BadProof(Exception):
    """The response does not prove who somebody is; the text says why, for those who set it up."""


@dataclass(frozen=True, slots=True)
class Ours:
    """What we are called there: our entity id, and the address that responses are sent to."""

    entity_id: str
    consume: str


@dataclass(frozen=True, slots=True)
class Proof:
    """Who somebody is. `asked` is the id of our question that it answers, empty where nobody asked."""

    id: str
    subject: str
    said: dict[str, Any]
    asked: str
    until: datetime


def certificates(sign_on: SignOn) -> list[dict[str, Any]]:
    """Name, SHA-256 and end of each certificate that the other system signs with."""
    held = x509.load_pem_x509_certificates(str(sign_on.settings.get("certificates", "")).encode())
    return [
        {
            "name": one.subject.rfc4514_string(),
            "digest": one.fingerprint(hashes.SHA256()).hex(":").upper(),
            "until": one.not_valid_after_utc,
        }
        for one in held
    ]
