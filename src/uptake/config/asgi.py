"""The ASGI application that a server loads: the intake's door, and Django behind it."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "uptake.config.settings")
django.setup(set_prefix=False)

from uptake.config.threads import Handler  # noqa: E402 (needs Django to be set up)
from uptake.web.api.door import IntakeDoor  # noqa: E402

application = IntakeDoor(Handler())
