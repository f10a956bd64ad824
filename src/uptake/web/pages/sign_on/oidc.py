"""OpenID Connect on top of allauth's provider: stricter where it trusts the way a token came, and with a nonce."""

from __future__ import annotations

import secrets
import time
from typing import Any
from urllib.parse import urlsplit

from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from uptake.directory.sign_on.claims import Claims, read_claims
from uptake.directory.sign_on.models import SignOn
from uptake.web.pages.sign_on.ask import Session
from uptake.web.pages.sign_on.id_token import BadToken, read_id_token

NEEDED = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")


class Adapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """Asks the issuer. `nonce` is that of the sign-in which an answer belongs to."""

    nonce = ""

    @property
    def sign_on(self) -> SignOn:
        found: SignOn = self.get_provider().app.sign_on
        return found

    @property
    def openid_config(self) -> dict[str, Any]:
        """What the issuer says of itself; it must say that it is the one that was set up."""
        if not hasattr(self, "_told"):
            sign_on = self.sign_on
            issuer = sign_on.address.removesuffix("/.well-known/openid-configuration")
            with Session(plain=sign_on.plain) as asked:
                answer = asked.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
                answer.raise_for_status()
                told = answer.json()
            if not isinstance(told, dict) or not all(isinstance(told.get(one), str) for one in NEEDED):
                raise OAuth2Error("its description is not one of OpenID Connect")
            if told["issuer"].rstrip("/") != issuer.rstrip("/"):
                raise OAuth2Error(f"it calls itself {told['issuer']:.200}, not {issuer:.200}")
            if urlsplit(told["authorization_endpoint"]).scheme not in (
                ("https", "http") if sign_on.plain else ("https",)
            ):
                raise OAuth2Error("its sign-in page is not encrypted")
            self._told = told
        return self._told

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return request.build_absolute_uri(reverse("sign_on_with:callback", args=[self.provider_id]))

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> SocialLogin:
        """The login of whom the ID token names. Raises OAuth2Error, RequestException."""
        raw = kwargs["response"].get("id_token")
        if not isinstance(raw, str):
            raise OAuth2Error("it sent no ID token")
        config = self.openid_config
        with Session(plain=self.sign_on.plain) as asked:
            answer = asked.get(config["jwks_uri"])
            answer.raise_for_status()
            keys = answer.json()
        try:
            claims = read_id_token(
                raw,
                keys=keys if isinstance(keys, dict) else {},
                issuer=config["issuer"],
                client=app.client_id,
                nonce=self.nonce,
                now=time.time(),
            )
        except BadToken as failure:
            raise OAuth2Error(f"its ID token is refused: {failure}") from failure
        more: dict[str, Any] = {}
        if config.get("userinfo_endpoint"):
            more = self._fetch_user_info(token.token)
            if not isinstance(more, dict) or more.get("sub") != claims["sub"]:
                raise OAuth2Error("what it tells of a person is of another one than its ID token (sub)")
        return self.get_provider().sociallogin_from_response(request, {"id_token": claims, "userinfo": more})

    def _fetch_user_info(self, access_token: str) -> Any:
        with Session(plain=self.sign_on.plain) as asked:
            answer = asked.get(self.profile_url, headers={"Authorization": f"Bearer {access_token}"})
            answer.raise_for_status()
            return answer.json()


class Provider(OpenIDConnectProvider):  # type: ignore[misc]
    """One that was set up."""

    oauth2_adapter_class = Adapter
    pkce_enabled_default = True

    def get_callback_url(self) -> str:
        return reverse("sign_on_with:callback", args=[self.app.provider_id])

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        """Only where to go afterwards comes from the address; what is asked of the other system does not."""
        target = request.GET.get("next", "")
        safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
        return {"process": "login", "next_url": target if target and safe else None}

    def redirect(
        self, request: HttpRequest, process: str, next_url: str | None = None, data: Any = None, **kwargs: Any
    ) -> HttpResponse:
        nonce = secrets.token_urlsafe(24)
        kwargs |= {"nonce": nonce, "auth_params": {"nonce": nonce}, "trial": getattr(request, "sign_on_trial", None)}
        answer: HttpResponse = super().redirect(request, process, next_url, data, **kwargs)
        return answer

    def extract_uid(self, data: dict[str, Any]) -> str:
        return str(data["id_token"]["sub"])

    def extract_email_addresses(self, data: dict[str, Any]) -> list[Any]:
        return []

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        return {}


class Callback(OAuth2CallbackView):  # type: ignore[misc]
    """The way back."""

    def _get_state(self, request: HttpRequest, provider: Provider) -> tuple[dict[str, Any] | None, HttpResponse | None]:
        state, answer = super()._get_state(request, provider)
        if state is not None:
            self.adapter.nonce = str(state.get("nonce") or "")
            request.sign_on_trial = state.get("trial")  # type: ignore[attr-defined]
        return state, answer


def claims_of(sign_on: SignOn, login: SocialLogin) -> tuple[Claims, dict[str, Any]]:
    """(what counts, all that was said). The ID token wins over what was told beside it."""
    token: dict[str, Any] = login.account.extra_data["id_token"]
    beside: dict[str, Any] = login.account.extra_data["userinfo"]
    said = {**beside, **token}
    # An address and whether it was verified are taken from one place: another's word for another address is none.
    source = token if sign_on.email_claim and sign_on.email_claim in token and "email_verified" in token else beside
    if sign_on.email_claim:
        said[sign_on.email_claim] = source.get(sign_on.email_claim, "")
    claims = read_claims(
        said,
        subject=login.account.uid,
        email_claim=sign_on.email_claim,
        number_claim=sign_on.number_claim,
        domains=sign_on.domains,
        email_verified=source.get("email_verified") is True,
    )
    return claims, {**beside, **token}
