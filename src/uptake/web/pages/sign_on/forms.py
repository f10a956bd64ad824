"""What is asked to set up a way in: what all protocols share, and what each needs beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from requests import RequestException

from uptake.connectors.people.models import PeopleSource
from uptake.directory.models import Organization
from uptake.directory.scope import Deed, Viewer
from uptake.directory.sign_on import proper
from uptake.directory.sign_on import set_up as doors
from uptake.directory.sign_on.models import Protocol, SignOn
from uptake.directory.sign_on.proper import NAME
from uptake.notify.post import NotAnAddress as NowhereAtAll
from uptake.web.pages.sign_on import saml
from uptake.web.pages.sign_on.ask import MOST, Session
from uptake.web.pages.sign_on.chats import ADDRESSES
from uptake.web.pages.sign_on.ldap import FILTER_BY_NAME


def secret_field(label: Any) -> forms.CharField:
    """A box for what is not shown again."""
    hidden = forms.PasswordInput(attrs={"autocomplete": "new-password"})
    return forms.CharField(max_length=1000, label=label, required=False, widget=hidden)


class SetupForm(forms.Form):
    """What every way in is asked for."""

    FIRST = ("organization", "name_en", "name_zh")
    SETTINGS: ClassVar[tuple[str, ...]] = ()
    """Fields that are kept in `SignOn.settings`."""
    APART: ClassVar[tuple[str, ...]] = ()
    """Fields that say it another way: a form of these has a `setup` of its own."""
    WITHOUT: ClassVar[tuple[str, ...]] = ()
    """Fields of all that this protocol has no use for."""

    organization = forms.ModelChoiceField(
        Organization.objects.none(),
        label=gettext_lazy("Whose people it vouches for"),
        empty_label=gettext_lazy("Choose a place"),
        help_text=gettext_lazy("Those of this place and below it come in by it, and nobody else."),
    )
    name_en = forms.CharField(
        max_length=60,
        label=gettext_lazy("Name on the button, in English"),
        help_text=gettext_lazy("Such as: Beiyuan account"),
    )
    name_zh = forms.CharField(
        max_length=60,
        label=gettext_lazy("Name on the button, in Chinese"),
        help_text=gettext_lazy("Such as: 北源账号"),
    )
    email_claim = forms.CharField(
        max_length=200,
        required=False,
        initial="email",
        label=gettext_lazy("Where the e-mail stands"),
    )
    number_claim = forms.CharField(
        max_length=200,
        required=False,
        label=gettext_lazy("Where the staff number stands"),
        help_text=gettext_lazy("Such as: employee_number. Only if people cannot change it themselves there."),
    )
    domains = forms.CharField(
        max_length=500,
        required=False,
        label=gettext_lazy("E-mail domains it may speak of"),
        help_text=gettext_lazy("Such as: beiyuan.example. Several with commas between."),
    )
    plain = forms.BooleanField(
        required=False, label=gettext_lazy("Allow a connection without encryption, which everybody on the way can read")
    )
    makes_people = forms.BooleanField(
        required=False,
        label=gettext_lazy("Add people who are not known yet, by their verified e-mail"),
        help_text=gettext_lazy("Where it verifies none: by the staff number, if it names an address of these domains."),
    )
    listed = forms.BooleanField(
        required=False, initial=True, label=gettext_lazy("Show its button to everybody on the sign-in page")
    )
    for_administrators = forms.BooleanField(
        required=False, label=gettext_lazy("Also let in people who run the platform or have a role elsewhere")
    )

    def __init__(self, *args: Any, viewer: Viewer, sign_on: SignOn | None, **kwargs: Any) -> None:
        if sign_on is not None:
            kwargs.setdefault("initial", initial_of(sign_on, self.base_fields))
        super().__init__(*args, **kwargs)
        place = self.fields["organization"]
        assert isinstance(place, forms.ModelChoiceField), "the organization is chosen from a list"
        within = Organization.objects.open().filter(viewer.within("path", Deed.MANAGE_DATA)).order_by("path")
        place.queryset = within.filter(viewer.within("path", Deed.GIVE_ROLES))
        for name in self.WITHOUT:
            del self.fields[name]
        if sign_on is not None:
            del self.fields["organization"]
        if not viewer.may(Deed.RUN_PLATFORM, sign_on.organization if sign_on else None):
            del self.fields["for_administrators"]
        if "secret" in self.fields and sign_on:
            self.fields["secret"].help_text = _("Leave empty to keep the one there is.")
        own = [name for name in self.fields if name not in SetupForm.base_fields]
        self.order_fields([*self.FIRST, *own])

    def setup(self) -> doors.Setup:
        """What was told, for the door."""
        apart = ("organization", "domains", *self.SETTINGS, *self.APART)
        told = {key: value for key, value in self.cleaned_data.items() if key not in apart}
        settings = {name: self.cleaned_data.get(name, "") for name in self.SETTINGS}
        domains = str(self.cleaned_data.get("domains", "")).replace("，", ",").split(",")
        return doors.Setup(**told, settings=settings, domains=domains)


class OpenIdForm(SetupForm):
    """OpenID Connect."""

    address = forms.CharField(
        max_length=500,
        label=gettext_lazy("Issuer"),
        help_text=gettext_lazy("Such as: https://login.example.com/realms/beiyuan"),
    )
    client = forms.CharField(max_length=255, label=gettext_lazy("Client id"))
    secret = secret_field(gettext_lazy("Client secret"))


class LdapForm(SetupForm):
    """LDAP."""

    SETTINGS = ("base", "filter", "user_dn", "ca")

    address = forms.CharField(
        max_length=500,
        label=gettext_lazy("Server"),
        help_text=gettext_lazy("Such as: ldaps://ldap.example.com. With ldap:// it is encrypted by StartTLS."),
    )
    base = forms.CharField(
        max_length=500,
        required=False,
        label=gettext_lazy("Where people are searched (base)"),
        help_text=gettext_lazy("Such as: ou=people,dc=beiyuan,dc=example"),
    )
    client = forms.CharField(
        max_length=255,
        required=False,
        label=gettext_lazy("Service account that searches"),
        help_text=gettext_lazy("Such as: cn=uptake,dc=beiyuan,dc=example. It needs to read and nothing else."),
    )
    secret = secret_field(gettext_lazy("Password of the service account"))
    filter = forms.CharField(
        max_length=1000,
        required=False,
        label=gettext_lazy("Search by"),
        help_text=gettext_lazy("Empty: by uid, sAMAccountName or mail. Must hold {name}, which is what was typed."),
        widget=forms.TextInput(attrs={"placeholder": FILTER_BY_NAME}),
    )
    user_dn = forms.CharField(
        max_length=500,
        required=False,
        label=gettext_lazy("Or without a service account: the name of each account"),
        help_text=gettext_lazy("Such as: uid={name},ou=people,dc=beiyuan,dc=example. Then nothing is searched."),
    )
    ca = forms.CharField(
        max_length=20_000,
        required=False,
        label=gettext_lazy("Own certificate authority (PEM)"),
        help_text=gettext_lazy("Only if the server's certificate is not one that everybody trusts."),
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        email, number = self.fields["email_claim"], self.fields["number_claim"]
        email.initial, number.initial = "mail", "employeeNumber"
        number.help_text = _("Such as: employeeNumber. Only if people cannot change it themselves there.")
        self.fields["makes_people"].label = _("Add people who are not known yet, by their e-mail")
        self.fields["makes_people"].help_text = ""


class SamlForm(SetupForm):
    """SAML 2.0: the other system is told by its metadata."""

    SETTINGS = ("certificates", "subject", "unasked")
    APART = ("metadata_address", "metadata")

    metadata_address = forms.CharField(
        max_length=500,
        required=False,
        label=gettext_lazy("Address of its metadata"),
        help_text=gettext_lazy("It is read once, now. Such as: https://login.example.com/saml/metadata"),
    )
    metadata = forms.CharField(
        max_length=MOST,
        required=False,
        label=gettext_lazy("Or its metadata (XML)"),
        widget=forms.Textarea(attrs={"rows": 4, "class": "mono"}),
    )
    subject = forms.CharField(
        max_length=200,
        required=False,
        label=gettext_lazy("Attribute that names an account for good"),
        help_text=gettext_lazy("Empty: the NameID. Never one that is given to somebody else later."),
    )
    unasked = forms.BooleanField(
        required=False,
        label=gettext_lazy("Also take people whom it sends without being asked (IdP-initiated): less safe"),
    )

    def __init__(self, *args: Any, sign_on: SignOn | None, **kwargs: Any) -> None:
        self.held = sign_on
        self.read: tuple[str, str, str] | None = None
        super().__init__(*args, sign_on=sign_on, **kwargs)
        email, number = self.fields["email_claim"], self.fields["number_claim"]
        email.initial = saml.NAME_ID
        email.help_text = _("An attribute, or NameID.")
        number.help_text = _("An attribute. Only if people cannot change it themselves there.")
        self.fields["makes_people"].label = _("Add people who are not known yet, by their e-mail")
        self.fields["makes_people"].help_text = ""
        self.fields["plain"].label = _("Allow addresses without encryption, which everybody on the way can read")
        if sign_on:
            self.fields["metadata"].help_text = _("Leave both empty to keep what was read.")

    def clean(self) -> dict[str, Any]:
        """Reads the metadata, where there are new ones."""
        told = super().clean() or self.cleaned_data
        text, address = told.get("metadata", "").strip(), told.get("metadata_address", "").strip()
        if saml.missing():
            self.add_error(None, _("SAML is not installed here. Whoever runs the platform can add uptake[saml]."))
        elif text or address:
            try:
                self.read = saml.reading().read_metadata(text or fetched(address, plain=bool(told.get("plain"))))
            except (RequestException, ValueError) as failure:
                field = "metadata" if text else "metadata_address"
                self.add_error(field, _("These are no metadata of one system: %(why)s") % {"why": str(failure)[:200]})
        elif self.held is None:
            self.add_error("metadata_address", _("This is needed."))
        return told

    def setup(self) -> doors.Setup:
        if self.read is None and self.held is not None:
            self.read = (self.held.client, self.held.address, str(self.held.settings["certificates"]))
        assert self.read is not None, "clean has read it"
        client, address, certificates = self.read
        told = super().setup()
        settings = {**told.settings, "certificates": certificates, "unasked": "yes" if told.settings["unasked"] else ""}
        return replace(told, client=client, address=address, settings=settings)


class ChatForm(SetupForm):
    """企业微信, 钉钉, 飞书: people are known by the ids that a source of people has told."""

    WITHOUT = ("email_claim", "number_claim", "domains", "makes_people")
    PROTOCOL: ClassVar[Protocol]

    source = forms.ChoiceField(
        label=gettext_lazy("Source of people whose ids it knows"),
        help_text=gettext_lazy("Made under “Sources of people”, for the same tenant and the same app."),
    )
    client = forms.CharField(max_length=255, label=gettext_lazy("App id"))
    secret = secret_field(gettext_lazy("Secret of the app"))
    address = forms.CharField(
        max_length=500,
        label=gettext_lazy("Address of the platform"),
        help_text=gettext_lazy("Another one only where the company runs the platform itself."),
    )

    def __init__(self, *args: Any, viewer: Viewer, sign_on: SignOn | None, **kwargs: Any) -> None:
        super().__init__(*args, viewer=viewer, sign_on=sign_on, **kwargs)
        self.fields["address"].initial = ADDRESSES[self.PROTOCOL]
        rows = PeopleSource.objects.visible_to(viewer).filter(sort=self.PROTOCOL.value).select_related("company")
        if sign_on is not None:
            rows = rows.filter(company__path__startswith=sign_on.organization.path)
        source = self.fields["source"]
        assert isinstance(source, forms.ChoiceField), "it is chosen from a list"
        self.paths = {one.label: one.company.path for one in rows}
        source.choices = [(one.label, f"{one.name} · {one.company.name}") for one in rows]
        if not self.paths:
            source.help_text = _("There is none yet: make one under “Sources of people” first.")

    def clean(self) -> dict[str, Any]:
        """A source of another place knows nobody who could come in."""
        told = super().clean() or self.cleaned_data
        place, source = told.get("organization"), told.get("source")
        if place is not None and source and not self.paths[source].startswith(place.path):
            self.add_error("source", _("This source is of another place."))
        return told


class WeComForm(ChatForm):
    """企业微信."""

    PROTOCOL = Protocol.WECOM
    SETTINGS = ("agent",)

    client = forms.CharField(max_length=255, label=gettext_lazy("Corporation id (CorpID)"))
    agent = forms.CharField(max_length=20, label=gettext_lazy("Number of the app (AgentId)"))


class DingTalkForm(ChatForm):
    """钉钉."""

    PROTOCOL = Protocol.DINGTALK


class FeishuForm(ChatForm):
    """飞书."""

    PROTOCOL = Protocol.FEISHU


def fetched(address: str, *, plain: bool) -> str:
    """What stands at an address. Raises RequestException."""
    with Session(plain=plain) as asked:
        answer = asked.get(address)
        answer.raise_for_status()
        return answer.text


FORMS: Mapping[Protocol, type[SetupForm]] = {
    Protocol.OIDC: OpenIdForm,
    Protocol.LDAP: LdapForm,
    Protocol.SAML: SamlForm,
    Protocol.WECOM: WeComForm,
    Protocol.DINGTALK: DingTalkForm,
    Protocol.FEISHU: FeishuForm,
}
REFUSALS = (
    proper.NotAnAddress,
    proper.NotEncrypted,
    proper.Improper,
    doors.NotADomain,
    doors.NoClaim,
    doors.DomainsNeeded,
    doors.NoPeopleHere,
    NowhereAtAll,
)


def initial_of(sign_on: SignOn, fields: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in the boxes of one that there is; never the secret."""
    told = {name: getattr(sign_on, name) for name in fields if hasattr(sign_on, name) and name != "secret"}
    return {**told, **sign_on.settings, "domains": ", ".join(sign_on.domains)}


def tell(form: SetupForm, refusal: Exception) -> None:
    """Says at the right box what could not work."""
    improper: dict[str, Any] = {
        "base": _("Say where people are searched, or give the name of each account below."),
        "client": _("This is needed."),
        "secret": _("This is needed."),
        "filter": _("A filter stands in brackets and holds %(name)s.") % {"name": NAME},
        "user_dn": _("This must hold %(name)s once.") % {"name": NAME},
        "ca": _("This is no certificate."),
        "agent": _("This is a number."),
        "certificates": _("This is no certificate."),
    }
    match refusal:
        case proper.NotEncrypted():
            field, words = "address", _("This address is not encrypted. Use https://, or allow it below.")
        case proper.Improper():
            field, words = str(refusal), improper[str(refusal)]
        case doors.NotADomain():
            field, words = "domains", _("“%(domain)s” is no domain.") % {"domain": refusal}
        case doors.NoClaim():
            field = "email_claim"
            words = _("Say where the e-mail or the staff number stands: else nobody is found.")
        case doors.DomainsNeeded():
            field, words = "domains", _("Name the domains it may speak of.")
        case doors.NoPeopleHere():
            field, words = "makes_people", _("At a park nobody is added: people work for a company.")
        case _:
            field, words = "address", _("This is no address that can be asked.")
    form.add_error(field if field in form.fields else None, words)
