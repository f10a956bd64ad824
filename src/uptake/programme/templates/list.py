"""The one list of rulebooks to start from: each is a JSON file beside this one, once in each language."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from uptake.programme.rulebook_reading import load_text

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Template:
    """A rulebook to start from, in the language that is active. It names no clock: publishing gives it that of the
    place."""

    slug: str
    title: Any

    @property
    def text(self) -> str:
        chinese = (get_language() or "").startswith("zh")
        return (HERE / f"{self.slug}{'.zh' if chinese else ''}.json").read_text(encoding="utf-8")

    @property
    def rulebook(self) -> dict[str, Any]:
        """The plain object of the file, for `publish`."""
        plain: dict[str, Any] = load_text(self.text)
        return plain


TEMPLATES: tuple[Template, ...] = (
    Template("erp_basic", _("Everyday work in an ERP")),
    Template("erp_welcome", _("Everyday work, with a bonus for newcomers")),
    Template("erp_classic", _("ERP work with learning and help")),
)
