"""Signing in with 企业微信, 钉钉 and 飞书: known by the id that a source of people has named for each person.

Written from the public documentation and tried against stubs of it. allauth has providers for 钉钉 and 飞书; its
`weixin` is the private WeChat. Whoever is not of the company's own tenant has no such id there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.dingtalk.views import DingTalkOAuth2Adapter
from allauth.socialaccount.providers.feishu.client import FeishuOAuth2Client
from allauth.socialaccount.providers.feishu.views import FeishuOAuth2Adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Client, OAuth2Error
from allauth.socialaccount.providers.oauth2.provider import OAuth2Provider
from allauth.socialaccount.providers.oauth2.views import OAuth2Adapter
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode

from uptake.directory.sign_on.claims import Claims
from uptake.directory.sign_on.models import Protocol, SignOn
from uptake.web.pages.sign_on import oidc
from uptake.web.pages.sign_on.ask import Session

ADDRESSES: Mapping[Protocol, str] = {
    Protocol.WECOM: "https://qyapi.weixin.qq.com",
    Protocol.DINGTALK: "https://api.dingtalk.com",
    Protocol.FEISHU: "https://open.feishu.cn",
}
PAGES: Mapping[Protocol, str] = {
    Protocol.WECOM: "https://login.work.weixin.qq.com",
    Protocol.DINGTALK: "https://login.dingtalk.com",
    Protocol.FEISHU: "https://open.feishu.cn",
}
"""Where browsers are sent, at the platform itself; anywhere else it is one address for everything."""
DINGTALK_BOOK = "https://oapi.dingtalk.com"


class _Ours:
    """What is the same at all three: whose app it is, and the way back."""

    provider_id: str
    get_provider: Callable[[], Any]

    @property
    def sign_on(self) -> SignOn:
        found: SignOn = self.get_provider().app.sign_on
        return found

    def at(self, special: str, path: str) -> str:
        """An address of the platform; `special` is that of another host of its own."""
        own = self.sign_on.address.rstrip("/")
        return f"{special if special and own == ADDRESSES[Protocol(self.sign_on.protocol)] else own}{path}"

    @property
    def page(self) -> str:
        return PAGES[Protocol(self.sign_on.protocol)]

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return request.build_absolute_uri(reverse("sign_on_with:callback", args=[self.provider_id]))

    def ask(self, method: str, address: str, **more: Any) -> dict[str, Any]:
        """What the platform answers. Raises OAuth2Error, RequestException."""
        with Session(plain=self.sign_on.plain) as asked:
            answer = asked.request(method, address, **more)
            answer.raise_for_status()
            told = answer.json()
        if not isinstance(told, dict) or told.get("errcode", 0) != 0:
            raise OAuth2Error(f"the platform refuses: {str(told)[:200]}")
        return told


class FeishuAdapter(_Ours, FeishuOAuth2Adapter):  # type: ignore[misc]
    """飞书: an app of the company; the id is that of the person within this app."""

    @property
    def authorize_url(self) -> str:
        return self.at(self.page, "/open-apis/authen/v1/index")

    @property
    def user_info_url(self) -> str:
        return self.at("", "/open-apis/authen/v1/user_info")

    def get_client(self, request: HttpRequest, app: SocialApp) -> FeishuOAuth2Client:
        back = self.get_callback_url(request, app)
        token = self.at("", "/open-apis/authen/v1/access_token")
        client = FeishuOAuth2Client(request, app.client_id, app.secret, "POST", token, back)
        client.app_access_token_url = self.at("", "/open-apis/auth/v3/app_access_token/internal/")
        return client


class DingTalkAdapter(_Ours, DingTalkOAuth2Adapter):  # type: ignore[misc]
    """钉钉: anybody of 钉钉 may sign in there, so the company's own app is asked who of the company that is."""

    @property
    def authorize_url(self) -> str:
        return self.at(self.page, "/oauth2/auth")

    @property
    def access_token_url(self) -> str:
        return self.at("", "/v1.0/oauth2/userAccessToken")

    @property
    def profile_url(self) -> str:
        return self.at("", "/v1.0/contact/users/me")

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> SocialLogin:
        me = self.ask("GET", self.profile_url, headers={"x-acs-dingtalk-access-token": token.token})
        union = me.get("unionId")
        if not isinstance(union, str) or not union:
            raise OAuth2Error("it does not say who that is (unionId)")
        own = {"appKey": app.client_id, "appSecret": app.secret}
        ours = self.ask("POST", self.at("", "/v1.0/oauth2/accessToken"), json=own).get("accessToken")
        book = self.at(DINGTALK_BOOK, "/topapi/user/getbyunionid")
        found = self.ask("POST", book, params={"access_token": ours}, json={"unionid": union}).get("result")
        if not isinstance(found, dict) or found.get("contact_type") != 0 or not found.get("userid"):
            raise OAuth2Error("nobody of this company (contact_type)")
        told = {"unionId": union, "userid": str(found["userid"]), "nick": str(me.get("nick") or "")}
        return self.get_provider().sociallogin_from_response(request, told)


class WeComClient(OAuth2Client):  # type: ignore[misc]
    """企业微信 asks for the corporation and the app, and tells by one code who it is."""

    adapter: WeComAdapter

    def get_redirect_url(self, authorization_url: str, scope: Any, extra_params: Mapping[str, Any]) -> str:
        asked = {
            "login_type": "CorpApp",
            "appid": self.consumer_key,
            "agentid": self.adapter.sign_on.settings["agent"],
            "redirect_uri": self.callback_url,
            "state": self.state,
        }
        return f"{authorization_url}?{urlencode(asked)}"

    def get_access_token(self, code: str, pkce_code_verifier: str | None = None) -> dict[str, Any]:
        own = {"corpid": self.consumer_key, "corpsecret": self.consumer_secret}
        token = self.adapter.ask("GET", self.access_token_url, params=own).get("access_token")
        asked = {"access_token": token, "code": code}
        found = self.adapter.ask("GET", self.adapter.at("", "/cgi-bin/auth/getuserinfo"), params=asked)
        if not found.get("userid"):
            raise OAuth2Error("nobody of this company (userid)")
        return {"access_token": "-", "userid": str(found["userid"])}


class WeComAdapter(_Ours, OAuth2Adapter):  # type: ignore[misc]
    """企业微信: an app of the company."""

    @property
    def authorize_url(self) -> str:
        return self.at(self.page, "/wwlogin/sso/login")

    @property
    def access_token_url(self) -> str:
        return self.at("", "/cgi-bin/gettoken")

    def get_client(self, request: HttpRequest, app: SocialApp) -> WeComClient:
        back = self.get_callback_url(request, app)
        client = WeComClient(request, app.client_id, app.secret, "GET", self.access_token_url, back)
        client.adapter = self
        return client

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> SocialLogin:
        return self.get_provider().sociallogin_from_response(request, {"userid": kwargs["response"]["userid"]})


ADAPTERS: Mapping[Protocol, Any] = {
    Protocol.WECOM: WeComAdapter,
    Protocol.DINGTALK: DingTalkAdapter,
    Protocol.FEISHU: FeishuAdapter,
}
SUBJECTS: Mapping[Protocol, tuple[str, str]] = {
    Protocol.WECOM: ("userid", "userid"),
    Protocol.DINGTALK: ("unionId", "userid"),
    Protocol.FEISHU: ("open_id", "open_id"),
}
"""(what names the account for good, what the source of people calls it)."""


class Provider(oidc.Provider):
    """One that was set up."""

    pkce_enabled_default = False

    def __init__(self, request: HttpRequest, app: SocialApp) -> None:
        super().__init__(request, app=app)
        self.protocol = Protocol(app.sign_on.protocol)
        self.oauth2_adapter_class = ADAPTERS[self.protocol]

    def get_default_scope(self) -> list[str]:
        return ["openid"] if self.protocol == Protocol.DINGTALK else []

    def get_oauth2_adapter(self, request: HttpRequest) -> Any:
        return adapter(request, self.app.sign_on)

    def redirect(
        self, request: HttpRequest, process: str, next_url: str | None = None, data: Any = None, **kwargs: Any
    ) -> HttpResponse:
        kwargs["trial"] = getattr(request, "sign_on_trial", None)
        if self.protocol == Protocol.DINGTALK:
            kwargs["auth_params"] = {"prompt": "consent"}
        answer: HttpResponse = OAuth2Provider.redirect(self, request, process, next_url, data, **kwargs)
        return answer

    def extract_uid(self, data: dict[str, Any]) -> str:
        return str(data[SUBJECTS[self.protocol][0]])


def adapter(request: HttpRequest, sign_on: SignOn) -> Any:
    """What goes to the platform of a way in."""
    made = ADAPTERS[Protocol(sign_on.protocol)](request)
    made.provider_id = sign_on.slug
    return made


def claims_of(sign_on: SignOn, login: SocialLogin) -> tuple[Claims, dict[str, Any]]:
    """(what counts, all that was said): the id, and no address that people could have changed there themselves."""
    said: dict[str, Any] = login.account.extra_data
    name = str(said.get("name") or said.get("nick") or "")[:200]
    return Claims(login.account.uid, name=name, key=str(said[SUBJECTS[Protocol(sign_on.protocol)][1]])), said
