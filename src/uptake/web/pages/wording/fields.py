"""The fields in which a place writes its words, and what is wrong with them in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from uptake.directory.models import Organization
from uptake.notify.own_words import from_above
from uptake.notify.phrase import LoneBrace, MissingGap
from uptake.notify.word import WordsRefused
from uptake.notify.wordings import GAPS, LONGEST, gaps, in_language, slots_of

LABELS: Final[Mapping[str, Promise]] = {
    "title": gettext_lazy("Title on the page"),
    "line": gettext_lazy("Line below the title"),
    "subject": gettext_lazy("Subject of the mail"),
    "mail": gettext_lazy("Text of the mail"),
    "chat": gettext_lazy("Text in group chats"),
}
ROWS: Final = {"mail": 7, "chat": 3}


def fields_of(
    place: Organization, kind: str, written: Mapping[str, Mapping[str, str]], wrong: WordsRefused | None
) -> list[dict[str, Any]]:
    """Per language its code, name and fields; the reader's own language first."""
    above, found = from_above(place, kind), []
    for code, name in sorted(settings.LANGUAGES, key=lambda one: one[0] != get_language()):
        inherited = {**in_language(code, kind), **above.get(code, {})}
        fields = []
        for slot in slots_of(kind):
            own = str(written.get(code, {}).get(slot, ""))
            refused = wrong is not None and (wrong.language, wrong.slot) == (code, slot)
            fields.append(
                {
                    "name": f"{code}:{slot}",
                    "id": f"id_{code}_{slot}",
                    "label": LABELS[slot],
                    "value": own or inherited[slot],
                    "own": bool(own) and own != inherited[slot],
                    "rows": ROWS.get(slot, 0),
                    "most": LONGEST[slot],
                    "gaps": [{"name": f"{{{one}}}", "means": GAPS[one]} for one in gaps(kind, slot)],
                    "error": sentence(kind, wrong) if wrong is not None and refused else "",
                }
            )
        found.append({"code": code, "name": name, "fields": fields, "own": [one for one in fields if one["own"]]})
    return found


def sentence(kind: str, wrong: WordsRefused) -> str:
    """What is wrong, naming the placeholder it is about."""
    reason = wrong.reason
    if reason is None:
        most = LONGEST[wrong.slot]
        return ngettext("At most %(n)s character.", "At most %(n)s characters.", most) % {"n": most}
    if isinstance(reason, MissingGap):
        said = _("The placeholder %(name)s is missing: nobody would know what it is about.")
        return said % {"name": f"{{{reason.name}}}"}
    if isinstance(reason, LoneBrace):
        return _("A lone %(name)s: write it twice if you mean the sign itself.") % {"name": reason.name}
    known = " ".join(f"{{{one}}}" for one in gaps(kind, wrong.slot))
    said = _("There is no placeholder %(name)s here. There are: %(known)s")
    return said % {"name": f"{{{reason.name}}}", "known": known}
