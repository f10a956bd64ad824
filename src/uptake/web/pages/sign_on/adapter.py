"""What becomes of a sign-in by another system: allauth asks here whose it is, and how it goes wrong."""

from __future__ import annotations

from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from django.http import HttpRequest
from django.utils import timezone

from uptake.directory.sign_on.let_in import Refused, let_in
from uptake.directory.sign_on.models import Protocol, SignOn
from uptake.directory.sign_on.proper import CHATS
from uptake.directory.sign_on.set_up import SecretLost, secret_of
from uptake.web.pages.sign_on import chats, oidc
from uptake.web.pages.sign_on.answers import failed, refused, tried
from uptake.web.pages.sign_on.ask import Session

PLAIN = "sign_on_plain"
"""Where a request keeps whether the system it is about may be asked without encryption."""


class SignOnAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Each way that was set up is a provider; nobody signs up, nothing is linked but by `let_in`."""

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> oidc.Provider:
        """The provider of a way by its slug. Raises SocialApp.DoesNotExist."""
        ways = SignOn.objects.select_related("organization").filter(protocol__in=(Protocol.OIDC, *CHATS))
        sign_on = ways.filter(slug=provider).first()
        if sign_on is None:
            raise SocialApp.DoesNotExist
        try:
            secret = secret_of(sign_on)
        except SecretLost as lost:
            raise ImmediateHttpResponse(failed(request, sign_on, "its secret is lost: give it anew")) from lost
        app = SocialApp(
            provider="openid_connect",
            provider_id=sign_on.slug,
            name=sign_on.name,
            client_id=sign_on.client,
            secret=secret,
            settings={"server_url": sign_on.address},
        )
        app.sign_on = sign_on
        setattr(request, PLAIN, sign_on.plain)
        return chats.Provider(request, app) if sign_on.protocol in CHATS else oidc.Provider(request, app=app)

    def get_requests_session(self) -> Session:
        """What allauth asks with, where an answer named the address: encrypted, sent on by nobody."""
        return Session(plain=bool(getattr(self.request, PLAIN, False)))

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        return []

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Whose login it is, or the page that says why nobody's."""
        sign_on: SignOn = sociallogin.provider.app.sign_on
        read = chats.claims_of if sign_on.protocol in CHATS else oidc.claims_of
        claims, said = read(sign_on, sociallogin)
        sociallogin.account.extra_data = {}
        now = timezone.now()
        if sociallogin.state.get("trial"):
            raise ImmediateHttpResponse(tried(request, sign_on, claims, said, sociallogin.state["trial"], now))
        try:
            sociallogin.user = let_in(sign_on=sign_on, claims=claims, now=now)
        except Refused as refusal:
            raise ImmediateHttpResponse(refused(request, sign_on, refusal.why)) from refusal

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        said = request.GET.get("error", "") if error == "cancelled" or not exception else ""
        raise ImmediateHttpResponse(
            failed(request, provider.app.sign_on, str(exception) if exception else said, cancelled=error == "cancelled")
        )
