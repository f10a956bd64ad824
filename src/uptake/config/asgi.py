"""The ASGI application that a server loads: the intake's door, and Django behind it."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "uptake.config.settings")
_django = get_asgi_application()

from uptake.web.api.door import IntakeDoor  # noqa: E402 (needs Django to be set up)

application = IntakeDoor(_django)
