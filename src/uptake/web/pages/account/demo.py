"""The log-ins of the demo park, written by `uptake demo` and shown on the sign-in page of a demo only."""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import get_language


@dataclass(frozen=True)
class DemoLogin:
    username: str
    password: str
    name: str
    organization: str
    role_en: str
    role_zh: str

    @property
    def role(self) -> str:
        return self.role_zh if (get_language() or "").startswith("zh") else self.role_en


def demo_logins() -> list[DemoLogin]:
    """Empty where UPTAKE_DEMO is not yes, or the demo has not been made yet."""
    if not settings.DEMO:
        return []
    file = settings.DATA / "demo-logins.json"
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return []
    return [DemoLogin(**{key: str(row.get(key, "")) for key in DemoLogin.__dataclass_fields__}) for row in rows]
