"""Asks a source of people for everything it knows: the one list of those that can be asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from uptake.connectors.people import ldap, platforms
from uptake.connectors.people.models import PeopleSource, Sort
from uptake.connectors.people.snapshot import Snapshot
from uptake.connectors.pull.secrets import opened


@dataclass(frozen=True)
class Field:
    """One thing a source is asked with."""

    name: str
    title: str | Promise
    secret: bool = False
    optional: bool = False
    usual: str = ""
    choice: bool = False
    """A tick: "yes" or nothing."""
    hint: str | Promise = ""


_ADDRESS_HINT = _("Only where it is not the usual one.")
FIELDS: Mapping[str, tuple[Field, ...]] = {
    Sort.SCIM: (
        Field(
            "groups_are_departments",
            _("Groups are departments"),
            optional=True,
            choice=True,
            hint=_("Else the department is the one each user names."),
        ),
    ),
    Sort.WECOM: (
        Field("corp_id", _("Company id (CorpID)")),
        Field("secret", _("Secret of the app"), secret=True),
        Field(
            "staff_number",
            _("Field of the staff number"),
            optional=True,
            hint=_("The name of the company's own field, such as 工号; or alias, or userid."),
        ),
        Field("address", _("Address"), optional=True, usual=platforms.ADDRESSES["wecom"], hint=_ADDRESS_HINT),
    ),
    Sort.DINGTALK: (
        Field("app_key", _("App key")),
        Field("secret", _("Secret of the app"), secret=True),
        Field("address", _("Address"), optional=True, usual=platforms.ADDRESSES["dingtalk"], hint=_ADDRESS_HINT),
    ),
    Sort.FEISHU: (
        Field("app_id", _("App id")),
        Field("secret", _("Secret of the app"), secret=True),
        Field("address", _("Address"), optional=True, usual=platforms.ADDRESSES["feishu"], hint=_ADDRESS_HINT),
    ),
    Sort.JIANDAOYUN: (
        Field("key", _("API key"), secret=True),
        Field(
            "user_name_is_staff_number",
            _("The user name is the staff number"),
            optional=True,
            choice=True,
            hint=_("Jiandaoyun tells no e-mail. Without this, nobody who is here already can be recognized."),
        ),
        Field("address", _("Address"), optional=True, usual=platforms.ADDRESSES["jiandaoyun"], hint=_ADDRESS_HINT),
    ),
    Sort.LDAP: (
        Field("address", _("Address"), hint=_("Such as ldaps://ldap.example.com")),
        Field("base", _("Where people lie (base DN)")),
        Field("user", _("User (bind DN)")),
        Field("password", _("Password"), secret=True),
        Field("filter", _("Filter"), optional=True, usual=ldap.FILTER),
        Field(
            "unencrypted",
            _("Allow an unencrypted connection"),
            optional=True,
            choice=True,
            hint=_("The password can then be read on the way."),
        ),
    ),
}
ASKERS: Mapping[str, Callable[[Mapping[str, str], Mapping[str, str]], Snapshot]] = {
    Sort.WECOM: platforms.wecom,
    Sort.DINGTALK: platforms.dingtalk,
    Sort.FEISHU: platforms.feishu,
    Sort.JIANDAOYUN: platforms.jiandaoyun,
    Sort.LDAP: ldap.ldap,
}


def ask(source: PeopleSource) -> Snapshot:
    """All departments and people of a source. Raises Problem."""
    filled = {one.name: one.usual for one in FIELDS[source.sort] if one.usual}
    filled |= {name: text for name, text in source.settings.items() if text}
    return ASKERS[source.sort](filled, opened(source.secrets))
