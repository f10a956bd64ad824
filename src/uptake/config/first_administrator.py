"""The first administrator: made when nobody can sign in yet, let in by a link that works once."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.contrib.auth.hashers import is_password_usable
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from uptake.config.options import address
from uptake.config.secrets import write_secret
from uptake.directory.enrol import enrol
from uptake.directory.grant_role import give_role
from uptake.directory.models import Kind, Organization, Role, User
from uptake.directory.open_login import open_login
from uptake.directory.organize import make_organization
from uptake.directory.scope import EVERYTHING

FILE = "first-sign-in.txt"


def first_sign_in(*, now: datetime) -> tuple[str, Path] | None:
    """The link by which the first administrator chooses a password, and the file that keeps it; None: not needed.

    As long as nobody has chosen a password each start gives a link; the file goes when somebody has.
    """
    file = Path(settings.DATA) / FILE
    passwords = User.objects.filter(is_active=True).values_list("password", flat=True)
    if any(is_password_usable(password) for password in passwords.iterator()):
        file.unlink(missing_ok=True)
        return None
    user = _administrator(now)
    token = default_token_generator.make_token(user)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": token})
    link = f"{address()}{path}"
    write_secret(file, f"{user.get_username()}\n{link}\n")
    return link, file


@transaction.atomic
def _administrator(now: datetime) -> User:
    known = (
        User.objects.filter(person__role_assignments__role=Role.ADMINISTRATOR, is_active=True).order_by("pk").first()
    )
    if known is not None:
        return known
    with translation.override(settings.LANGUAGE_CODE):
        today = timezone.localdate(now)
        park = Organization.objects.filter(parent__isnull=True).order_by("pk").first() or make_organization(
            kind=Kind.PARK, name=_("Park"), parent=None, by=EVERYTHING, now=now
        )
        person = enrol(name=_("Administrator"), organization=park, from_date=today, by=EVERYTHING, now=now)
    give_role(person=person, role=Role.ADMINISTRATOR, organization=park, from_date=today, by=EVERYTHING, now=now)
    return open_login(person=person, username="admin", by=EVERYTHING, now=now)
