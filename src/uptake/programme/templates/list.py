"""The one list of rulebooks to start from: each is a JSON file beside this one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy as _

from uptake.programme.rulebook_reading import load_text

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Template:
    """A rulebook to start from. It names no clock: publishing gives it that of the place."""

    slug: str
    title: Any

    @property
    def text(self) -> str:
        return (HERE / f"{self.slug}.json").read_text(encoding="utf-8")

    @property
    def rulebook(self) -> dict[str, Any]:
        """The plain object of the file, for `publish`."""
        plain: dict[str, Any] = load_text(self.text)
        return plain


TEMPLATES: tuple[Template, ...] = (Template("erp_basic", _("Everyday work in an ERP")),)
