"""Ways to sign in with another system's login are set up, changed, paused, demanded and removed."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.text import slugify

from uptake.basics.sealing import InvalidToken, seal, unseal
from uptake.directory.audit import note
from uptake.directory.models import Kind, Organization
from uptake.directory.sign_on.models import Protocol, SignOn, SignOnLink
from uptake.directory.sign_on.proper import CHATS, proper_address, proper_settings
from uptake.directory.viewer import Deed, NotAllowed, Viewer

PURPOSE = "sign-on secrets"
DOMAIN = re.compile(r"^(?=.{3,189}$)[^@\s/]+\.[^@\s/.]+$")


class NotADomain(ValueError):
    """No domain of e-mail addresses."""


class NoClaim(ValueError):
    """Neither e-mail nor staff number nor ids are used: nobody could be found."""


class DomainsNeeded(ValueError):
    """Who adds people names the domains of their addresses."""


class NoPeopleHere(ValueError):
    """At a park nobody is made by signing in: people work for a company."""


class NotTried(ValueError):
    """A way in becomes the only one after a test that came through."""


class SecretLost(Exception):
    """The installation's secret is another one now: the secret is to be given anew."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What is set up: see `SignOn`. An empty secret keeps the one there is."""

    name_en: str
    name_zh: str
    address: str = ""
    client: str = ""
    secret: str = ""
    email_claim: str = ""
    number_claim: str = ""
    source: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    domains: Iterable[str] = ()
    plain: bool = False
    makes_people: bool = False
    listed: bool = True
    for_administrators: bool = False


HOW = ("address", "client", "email_claim", "number_claim", "source", "settings", "plain")
"""A change of any of these needs a new test."""


def may_set_up(viewer: Viewer, organization: Organization) -> bool:
    """Platform administrators and park operators; whoever sets one up could come in as anybody it vouches for."""
    return viewer.may(Deed.MANAGE_DATA, organization) and viewer.may(Deed.GIVE_ROLES, organization)


@transaction.atomic
def set_up(*, protocol: Protocol, organization: Organization, setup: Setup, by: Viewer, now: datetime) -> SignOn:
    """A new way in. Raises NotAllowed and the refusals of this file and of `proper.py`."""
    if not may_set_up(by, organization) or (setup.for_administrators and not by.may(Deed.RUN_PLATFORM, organization)):
        raise NotAllowed
    values = _proper(protocol, organization, setup, has_secret=False)
    slug = f"{slugify(setup.name_en)[:40] or 'login'}-{secrets.token_hex(3)}"
    made = SignOn.objects.create(slug=slug, protocol=protocol, organization=organization, made_at=now, **values)
    _note("sign_on.set_up", made, by, now, protocol=protocol.value, address=made.address)
    return made


@transaction.atomic
def change(*, sign_on: SignOn, setup: Setup, by: Viewer, now: datetime) -> SignOn:
    """Sets it up anew. What changes how people are told apart needs a new test before it can be the only way again;
    another system forgets who came in, as its accounts are others. Raises as `set_up`.
    """
    held = _held(sign_on, by)
    if setup.for_administrators and not by.may(Deed.RUN_PLATFORM, held.organization):
        raise NotAllowed
    values = _proper(Protocol(held.protocol), held.organization, setup, has_secret=bool(bytes(held.secret)))
    if not setup.secret:
        del values["secret"]
    changed = sorted(name for name, value in values.items() if name == "secret" or getattr(held, name) != value)
    if not changed:
        return held
    if _other_system(Protocol(held.protocol)) & set(changed):
        held.links.all().delete()
    for name in changed:
        setattr(held, name, values[name])
    if {*HOW, "secret"} & set(changed):
        held.tried_at, held.only_way = None, False
    held.save()
    _note("sign_on.changed", held, by, now, changed=changed)
    return held


@transaction.atomic
def pause(*, sign_on: SignOn, paused: bool, by: Viewer, now: datetime) -> SignOn:
    """Nobody comes in by it (where it was the only way, passwords do again), or people do again. Raises NotAllowed."""
    held = _held(sign_on, by)
    if (held.paused_at is not None) != paused:
        held.paused_at = now if paused else None
        held.save(update_fields=["paused_at"])
        _note("sign_on.paused" if paused else "sign_on.resumed", held, by, now)
    return held


@transaction.atomic
def demand(*, sign_on: SignOn, only_way: bool, by: Viewer, now: datetime) -> SignOn:
    """The people of the place sign in by it and not with a password, or may choose again. Raises NotAllowed, NotTried.

    Sessions there are last; who runs the platform keeps the password.
    """
    held = _held(sign_on, by)
    if only_way and held.tried_at is None:
        raise NotTried
    if held.only_way != only_way:
        held.only_way = only_way
        held.save(update_fields=["only_way"])
        _note("sign_on.demanded" if only_way else "sign_on.not_demanded", held, by, now)
    return held


@transaction.atomic
def remove(*, sign_on: SignOn, by: Viewer, now: datetime) -> None:
    """Takes it away with all it knew; logins and people stay. Raises NotAllowed."""
    held = _held(sign_on, by)
    _note("sign_on.removed", held, by, now, links=held.links.count())
    held.delete()


@transaction.atomic
def unlink(*, link: SignOnLink, by: Viewer, now: datetime) -> None:
    """Forgets which account is whose login; it is found anew at the next sign-in. Raises NotAllowed."""
    held = _held(link.sign_on, by)
    found = SignOnLink.objects.filter(pk=link.pk, sign_on=held).select_related("user").first()
    if found is not None:
        _note("sign_on.unlinked", held, by, now, login=found.user.username, person=found.user.person_id)
        found.delete()


@transaction.atomic
def keep_trial(*, sign_on: SignOn, by: Viewer, now: datetime) -> SignOn:
    """Somebody who may set it up has seen that it works. Raises NotAllowed."""
    held = _held(sign_on, by)
    held.tried_at = now
    held.save(update_fields=["tried_at"])
    return held


def secret_of(sign_on: SignOn) -> str:
    """The secret, opened to use it. Raises SecretLost."""
    if not bytes(sign_on.secret):
        return ""
    try:
        return unseal(sign_on.secret, secret=settings.SECRET_KEY, purpose=PURPOSE)
    except InvalidToken as failure:
        raise SecretLost from failure


def _proper(protocol: Protocol, organization: Organization, setup: Setup, *, has_secret: bool) -> dict[str, object]:
    """The values as they are kept. Raises."""
    values: dict[str, object] = {}
    for one in fields(setup):
        value = getattr(setup, one.name)
        values[one.name] = value.strip() if isinstance(value, str) else value
    values["address"] = proper_address(protocol, str(values["address"]), plain=setup.plain)
    values["settings"] = proper_settings(
        protocol, setup.settings, client=str(values["client"]), secret=has_secret or bool(setup.secret)
    )
    values["secret"] = seal(setup.secret, secret=settings.SECRET_KEY, purpose=PURPOSE) if setup.secret else b""
    domains = sorted({one.strip().lower().lstrip("@") for one in setup.domains if one.strip()})
    for domain in domains:
        if not DOMAIN.match(domain):
            raise NotADomain(domain[:100])
    values["domains"] = domains
    if not values["email_claim"] and not values["number_claim"] and not values["source"]:
        raise NoClaim
    if setup.makes_people and organization.kind == Kind.PARK:
        raise NoPeopleHere
    if setup.makes_people and not domains:
        raise DomainsNeeded
    return values


def _other_system(protocol: Protocol) -> set[str]:
    """What changes where the accounts of a way in are others from then on."""
    if protocol in CHATS:
        return {"address", "client", "settings", "source"}
    return {"address", "client"} if protocol == Protocol.SAML else {"address"}


def _held(sign_on: SignOn, by: Viewer) -> SignOn:
    rows = SignOn.objects.select_for_update(of=("self",)).select_related("organization")
    held = rows.get(pk=sign_on.pk)
    if not may_set_up(by, held.organization) or (
        held.for_administrators and not by.may(Deed.RUN_PLATFORM, held.organization)
    ):
        raise NotAllowed
    return held


def _note(deed: str, held: SignOn, by: Viewer, now: datetime, **more: object) -> None:
    details = {"sign_on": held.pk, **more}
    note(deed=deed, actor=by, organization=held.organization, subject=held.name_en, details=details, now=now)
