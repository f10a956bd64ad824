"""A login's own taste: language and theme, carried to the next device."""

from __future__ import annotations

from uptake.directory.models import User


def keep_preference(*, user: User, language: str | None = None, theme: str | None = None) -> None:
    """Store what is given; not a deed for the audit log, for it concerns nobody else."""
    kept = {name: value for name, value in (("language", language), ("theme", theme)) if value is not None}
    if kept:
        User.objects.filter(pk=user.pk).update(**kept)
