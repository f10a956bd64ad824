"""Proves who somebody is by a bind at a directory: found by a search or a template, never by an empty password."""

from __future__ import annotations

import re
import secrets
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from ldap3 import BASE, NONE, SIMPLE, SUBTREE, Connection, Server, Tls
from ldap3.core.exceptions import LDAPException, LDAPOperationResult, LDAPSizeLimitExceededResult
from ldap3.utils.conv import escape_filter_chars
from ldap3.utils.dn import escape_rdn

from uptake.connectors.people.ldap import FILTER, WANTED, is_active, key_of
from uptake.directory.sign_on.models import SignOn
from uptake.directory.sign_on.proper import NAME
from uptake.notify.post import NotAnAddress, check_host

SECONDS = 10
LONGEST_NAME, LONGEST_PASSWORD = 150, 1000
FILTER_BY_NAME = f"(&{FILTER}(|(uid={NAME})(sAMAccountName={NAME})(mail={NAME})))"
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")

BROKEN = (LDAPException, OSError, LookupError, ValueError, TypeError)
"""What ldap3 raises at servers that are not there or answer what it cannot read (a referral as answer to a bind)."""


class NotProved(Exception):
    """The directory does not say that this is somebody; the text says why, for those who set it up and the log."""


class NotAsked(Exception):
    """The directory could not be asked, or not as it was set up; the text says why."""


def account_of(sign_on: SignOn, *, secret: str, name: str, password: str) -> tuple[str, dict[str, Any]]:
    """(what the directory calls the account for good, its attributes). `secret` is that of the service account.

    Raises NotProved, NotAsked. Whoever is not found is bound nevertheless, as a name that is nobody's, so that the
    time it takes does not tell who is there.
    """
    name = name.strip()
    if not name or not password:
        raise NotProved("an empty name or password")
    if UNPRINTABLE.search(name) or "\0" in password or len(name) > LONGEST_NAME or len(password) > LONGEST_PASSWORD:
        raise NotProved("no name or password that somebody could have")
    if template := sign_on.settings.get("user_dn"):
        dn = str(template).replace(NAME, escape_rdn(name))
        with _bound(sign_on, dn, password, whose="the person") as own:
            entry = _one(own, dn, "(objectClass=*)", BASE, _wanted(sign_on))
        _check(entry)
    else:
        base = str(sign_on.settings["base"])
        condition = str(sign_on.settings.get("filter") or FILTER_BY_NAME).replace(NAME, escape_filter_chars(name))
        why = ""
        with _bound(sign_on, sign_on.client, secret, whose="the service account") as service:
            try:
                entry = _one(service, base, condition, SUBTREE, _wanted(sign_on))
                _check(entry)
            except NotProved as nobody:
                why, entry = str(nobody), {"dn": f"cn=nobody-{secrets.token_hex(8)},{base}"}
        with _bound(sign_on, str(entry["dn"]), password, whose="the person"):
            pass
        if why:
            raise NotProved(why)
    subject = key_of(entry)
    if not subject:
        raise NotAsked("it tells no id that stays (entryUUID, objectGUID)")
    return subject, {attribute: _texts(entry[attribute]) for attribute in entry if attribute != "dn"}


def claimed(sign_on: SignOn, said: Mapping[str, Any]) -> dict[str, Any]:
    """What is read of the attributes: their names mean the same in capitals."""
    lower = {name.lower(): value for name, value in said.items()}
    told = {one: lower.get(one.lower(), "") for one in (sign_on.email_claim, sign_on.number_claim) if one}
    return {**told, "name": (lower.get("displayname") or lower.get("cn") or [""])[:1]}


def _wanted(sign_on: SignOn) -> list[str]:
    own = [one for one in (sign_on.email_claim, sign_on.number_claim) if one]
    return list(dict.fromkeys([*WANTED, *own]))


def _check(entry: Mapping[str, Any]) -> None:
    if not is_active(entry):
        raise NotProved("the account is disabled")


def _texts(values: Any) -> list[str]:
    found = values if isinstance(values, list | tuple) else [values]
    return [one.decode(errors="replace") if isinstance(one, bytes) else str(one) for one in found]


@contextmanager
def _bound(sign_on: SignOn, user: str, password: str, *, whose: str) -> Iterator[Connection]:
    """A connection that is encrypted unless allowed otherwise, and bound. Raises NotProved, NotAsked."""
    # An empty password would be an unauthenticated bind, which succeeds for everybody (RFC 4513, 5.1.2).
    if not user or not password:
        raise NotAsked(f"{whose} has no name or no password")
    parts = urlsplit(sign_on.address)
    encrypted = parts.scheme == "ldaps"
    port = parts.port or (636 if encrypted else 389)
    host = parts.hostname or ""
    try:
        for *_about, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            check_host(str(place[0]))
        tls = Tls(validate=ssl.CERT_REQUIRED, ca_certs_data=sign_on.settings.get("ca") or None, sni=host)
        server = Server(host, port=port, use_ssl=encrypted, tls=tls, get_info=NONE, connect_timeout=SECONDS)
        connection = Connection(
            server,
            user=user,
            password=password,
            authentication=SIMPLE,
            receive_timeout=SECONDS,
            raise_exceptions=True,
            read_only=True,
            # Nobody else is shown a password because this server says so.
            auto_referrals=False,
        )
        connection.open()
        if not encrypted and not sign_on.plain:
            connection.start_tls()
    except (*BROKEN, NotAnAddress) as failure:
        raise NotAsked(f"{type(failure).__name__}: {failure}"[:300]) from failure
    try:
        if not encrypted and not sign_on.plain and not connection.tls_started:
            raise NotAsked("it does not encrypt (StartTLS)")
        try:
            connection.bind()
        except LDAPOperationResult as failure:
            told = f"{whose} is refused: {type(failure).__name__}"
            raise (NotProved if whose == "the person" else NotAsked)(told) from failure
        if not connection.bound:
            raise NotProved(f"{whose} is not bound")
        yield connection
    except BROKEN as failure:
        raise NotAsked(f"{type(failure).__name__}: {failure}"[:300]) from failure
    finally:
        _close(connection)


def _close(connection: Connection) -> None:
    try:
        connection.unbind()
    except BROKEN:
        return


def _one(connection: Connection, base: str, condition: str, scope: str, wanted: list[str]) -> dict[str, Any]:
    """The one entry there is. Raises NotProved for none and for several, LDAPException."""
    try:
        connection.search(base, condition, scope, attributes=wanted, size_limit=2)
    except LDAPSizeLimitExceededResult as failure:
        raise NotProved("several accounts have this name") from failure
    found = [one for one in connection.response or [] if one.get("type") == "searchResEntry"]
    if len(found) != 1:
        raise NotProved("several accounts have this name" if found else "no account has this name")
    return {"dn": found[0]["dn"], **found[0]["raw_attributes"]}
