"""What the frame around every page needs: menu, viewer, place, theme, language."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.template.loader import get_template
from django.utils.functional import SimpleLazyObject
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from uptake.directory.models import Kind, Organization, Role, User
from uptake.directory.scope import Deed
from uptake.directory.viewer import ids_of
from uptake.notify.follow import last_bookmark
from uptake.notify.inbox import unread_of
from uptake.web.menu import Entry, menu_for
from uptake.web.preferences import theme_of
from uptake.web.viewing import viewer_for

PLACES_LISTED: Final = 60


class Way(NamedTuple):
    """A place one may switch to."""

    slug: str
    name: str
    kind: str


class Shell:
    """Read by `base.html` as `shell`; each part is asked for once, and only by pages that show it."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        user = getattr(request, "user", None)
        self.user = user if isinstance(user, User) and user.is_authenticated else None
        self.theme = theme_of(request)
        self.demo = settings.DEMO

    @property
    def language(self) -> str:
        """The BCP 47 tag of the page."""
        return "zh-Hans" if (get_language() or "").startswith("zh") else "en"

    @property
    def other_language(self) -> str:
        return "en" if self.language == "zh-Hans" else "zh-hans"

    @cached_property
    def menu(self) -> tuple[Entry, ...]:
        return menu_for(viewer_for(self.request), self.request) if self.user else ()

    @cached_property
    def tabs(self) -> tuple[Entry, ...]:
        """The bottom tabs of the phone, for those who have only what everybody has; the rest of it is in `more`."""
        short = tuple(entry for entry in self.menu if entry.item.short)
        return short if 1 < len(short) <= 5 and not any(entry.item.deeds for entry in self.menu) else ()

    @property
    def more(self) -> bool:
        """Whether the phone needs the sheet with the whole menu."""
        return len(self.tabs) < len(self.menu)

    @property
    def name(self) -> str:
        return viewer_for(self.request).name if self.user else ""

    @cached_property
    def live_after(self) -> str:
        """From where on the page listens: nothing is lost between its making and its first breath."""
        return str(last_bookmark()) if self.user else ""

    @cached_property
    def unread(self) -> int:
        """How many messages wait to be read."""
        return unread_of(self.user.person_id) if self.user and self.user.person_id is not None else 0

    @cached_property
    def role(self) -> str:
        """The viewer's highest role, in words; employees need none."""
        if self.user is None:
            return ""
        held = {grant.role for grant in viewer_for(self.request).grants}
        return str(next((role.label for role in Role if role in held), Role.EMPLOYEE.label))

    @cached_property
    def place(self) -> Organization | None:
        """Where the viewer stands: the place a page is about, else that of the widest role, else the own company."""
        if self.user is None:
            return None
        viewer = viewer_for(self.request)
        slug = self.request.GET.get("at", "")
        if slug:
            chosen = Organization.objects.filter(viewer.within("path", Deed.SEE_TOTALS), slug=slug).first()
            if chosen is not None:
                return chosen
        paths = [grant.path for grant in viewer.grants] or list(viewer.places)
        ids = [ids_of(path)[:2] if not viewer.grants else ids_of(path) for path in paths]
        deepest = min((chain for chain in ids if chain), key=len, default=())
        if deepest:
            return Organization.objects.filter(pk=deepest[-1]).first()
        return Organization.objects.filter(parent__isnull=True).order_by("pk").first() if viewer.grants else None

    @cached_property
    def unit(self) -> str:
        """The group one works in, for those who stand in their company without a role; else empty."""
        if self.user is None or self.place is None or viewer_for(self.request).grants:
            return ""
        inner = [ids_of(path)[-1] for path in viewer_for(self.request).places if path.startswith(self.place.path)]
        found = Organization.objects.filter(pk__in=inner).exclude(pk=self.place.pk).order_by("pk").first()
        return found.name if found else ""

    @cached_property
    def places(self) -> list[Way]:
        """The park and companies one may switch between; empty for those who see only one."""
        if self.user is None:
            return []
        seen = Organization.objects.filter(
            viewer_for(self.request).within("path", Deed.SEE_TOTALS), kind__in=["park", "company"], closed_at=None
        )
        rows = seen.order_by("-kind", "name").values_list("slug", "name", "kind")[: PLACES_LISTED + 1]
        found = [Way(*row) for row in rows]
        return found if len(found) > 1 else []

    @cached_property
    def ways(self) -> SafeString:
        """The entries that lead to `places`: many, and on every page twice, so no template is walked for each."""
        park = format_html('<span class="dim">{}</span>', Kind.PARK.label)
        here = self.place.slug if self.place else ""
        return format_html_join(
            "",
            '<li><a href="?at={}"{}>{}{}</a></li>',
            (
                (
                    way.slug,
                    mark_safe(' aria-current="true"') if way.slug == here else "",
                    way.name,
                    park if way.kind == Kind.PARK else "",
                )
                for way in self.places
            ),
        )

    @cached_property
    def side(self) -> str:
        """Place, menu and tools: at the side and, on the phone, on a sheet; the same twice, so they are made once."""
        return get_template("parts/side.html").render({"shell": self}, self.request)


def shell(request: HttpRequest) -> dict[str, Any]:
    """The context processor of the frame."""
    return {"shell": SimpleLazyObject(lambda: Shell(request))}
