"""What each protocol needs to be set up: addresses, templates, certificates; and what could not work."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from uptake.directory.sign_on.models import Protocol

NAME = "{name}"
"""Where the name that somebody typed goes, in templates of LDAP."""
CHATS = (Protocol.WECOM, Protocol.DINGTALK, Protocol.FEISHU)
SETTINGS: Mapping[Protocol, tuple[str, ...]] = {
    Protocol.OIDC: (),
    Protocol.LDAP: ("base", "filter", "user_dn", "ca"),
    Protocol.SAML: ("certificates", "subject", "unasked"),
    Protocol.WECOM: ("agent",),
    Protocol.DINGTALK: (),
    Protocol.FEISHU: (),
}
"""What stands in `SignOn.settings`.

LDAP: the `base` and `filter` that people are searched with, or the template `user_dn` they are bound with; `ca`, PEM.
SAML: `certificates` that the other system signs with, PEM; `subject`, the attribute that names an account for good
(empty: the NameID); `unasked`, "yes" where it may send people who did not ask here first.
企业微信: `agent`, the number of the app.
"""


class NotAnAddress(ValueError):
    """Nothing is asked at such an address."""


class NotEncrypted(ValueError):
    """An address without encryption that nobody has allowed."""


class Improper(ValueError):
    """A setting that could not work; `args[0]` is its name."""


def proper_address(protocol: Protocol, address: str, *, plain: bool) -> str:
    """The address as it is kept. Raises NotAnAddress, NotEncrypted.

    `ldap://` is encrypted after the first word (StartTLS), so it needs nobody's leave.
    """
    schemes = ("ldaps", "ldap") if protocol == Protocol.LDAP else ("https", "http")
    try:
        parts = urlsplit(address)
        _port = parts.port
    except ValueError as failure:
        raise NotAnAddress(address[:100]) from failure
    if parts.scheme not in schemes or not parts.hostname or parts.username or parts.fragment:
        raise NotAnAddress(address[:100])
    if any(ord(one) < 33 for one in address) or len(address) > 500:
        raise NotAnAddress(address[:100])
    # Browsers are sent to an address of SAML as it is, so it may ask something.
    if (parts.query and protocol != Protocol.SAML) or (parts.path.strip("/") and protocol == Protocol.LDAP):
        raise NotAnAddress(address[:100])
    if parts.scheme == "http" and not plain:
        raise NotEncrypted(address[:100])
    return address


def proper_settings(protocol: Protocol, settings: Mapping[str, str], *, client: str, secret: bool) -> dict[str, str]:
    """The settings as they are kept, without empty ones. Raises Improper."""
    kept = {name: str(settings.get(name, "")).strip() for name in SETTINGS[protocol]}
    if protocol == Protocol.LDAP:
        _check_ldap(kept, client=client, secret=secret)
    elif protocol == Protocol.SAML:
        if not client:
            raise Improper("client")
        if not kept["certificates"] or not _are_certificates(kept["certificates"]):
            raise Improper("certificates")
    elif protocol in CHATS:
        if not client:
            raise Improper("client")
        if not secret:
            raise Improper("secret")
        if protocol == Protocol.WECOM and not kept["agent"].isdecimal():
            raise Improper("agent")
    return {name: value for name, value in kept.items() if value}


def _check_ldap(kept: Mapping[str, str], *, client: str, secret: bool) -> None:
    if kept["user_dn"]:
        if kept["user_dn"].count(NAME) != 1 or "=" not in kept["user_dn"]:
            raise Improper("user_dn")
    else:
        # Without a service account the search would be anonymous, and with an empty password so would be its bind.
        if not client:
            raise Improper("client")
        if not secret:
            raise Improper("secret")
        if not kept["base"]:
            raise Improper("base")
    condition = kept["filter"]
    if condition and not (NAME in condition and condition[0] == "(" and condition[-1] == ")"):
        raise Improper("filter")
    if kept["ca"] and not _are_certificates(kept["ca"]):
        raise Improper("ca")


def _are_certificates(text: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError):
        return False
    return True
