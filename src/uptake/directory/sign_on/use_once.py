"""A proof that somebody brings along is used once: a copy of it lets nobody in."""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.db import IntegrityError, transaction

from uptake.directory.sign_on.models import SignOn, UsedProof


class UsedBefore(Exception):
    """Somebody has come by this proof already."""


def use_once(*, sign_on: SignOn, proof: str, until: datetime, now: datetime) -> None:
    """Marks a proof as used by its id, until it has run out by itself. Raises UsedBefore."""
    UsedProof.objects.filter(until__lt=now).delete()
    try:
        with transaction.atomic():
            UsedProof.objects.create(
                sign_on=sign_on, digest=hashlib.sha256(proof.encode()).hexdigest(), until=max(until, now)
            )
    except IntegrityError as failure:
        raise UsedBefore from failure
