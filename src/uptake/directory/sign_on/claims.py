"""What another system says of whoever signed in there: plain values, read from its claims."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

EMAIL = re.compile(r"^[^@\s\x00-\x1f]{1,64}@([^@\s\x00-\x1f]{1,189})$")


@dataclass(frozen=True, slots=True)
class Claims:
    """`email` is set only where the system vouches for it; `unverified` says that it named one and does not."""

    subject: str
    email: str = ""
    staff_number: str = ""
    name: str = ""
    unverified: bool = False
    named: str = ""
    """The e-mail as it was named, of a domain that the system may speak of: alone it proves nothing."""
    key: str = ""
    """What sources of people of the same system call the account; empty where it is not asked for."""
    foreign_domain: bool = False
    """The e-mail is of a domain that this system may not speak of."""


def read_claims(
    said: Mapping[str, Any],
    *,
    subject: str,
    email_claim: str,
    number_claim: str,
    domains: Sequence[str],
    email_verified: bool,
) -> Claims:
    """What counts of what was said. `email_verified` is the system's own word for the address."""
    email = _text(said.get(email_claim)) if email_claim else ""
    found = EMAIL.match(email)
    email = email if found else ""
    foreign = bool(found and domains and found[1].lower() not in {one.lower() for one in domains})
    verified = bool(email) and email_verified is True and not foreign
    return Claims(
        subject=subject,
        email=email if verified else "",
        staff_number=_text(said.get(number_claim))[:64] if number_claim else "",
        name=_text(said.get("name"))[:200],
        unverified=bool(email) and email_verified is not True,
        named="" if foreign else email,
        foreign_domain=foreign,
    )


def _text(value: Any) -> str:
    """The value as one line; lists of one are their member, anything else is nothing."""
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return " ".join(str(value).split())
