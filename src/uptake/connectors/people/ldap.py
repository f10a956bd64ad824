"""People and departments from LDAP: OpenLDAP, Active Directory and what is like them. Pages, never the whole at once.

The id is entryUUID (objectGUID at Active Directory), which stays when a name or a place changes. Organizational units
between the base and a person are departments; where there are none, `departmentNumber` or `department` names one.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from ldap3 import NONE, SUBTREE, Connection, Server, Tls
from ldap3.core.exceptions import (
    LDAPBindError,
    LDAPException,
    LDAPInsufficientAccessRightsResult,
    LDAPInvalidCredentialsResult,
    LDAPNoSuchObjectResult,
    LDAPSocketOpenError,
    LDAPStrongerAuthRequiredResult,
)
from ldap3.utils.dn import parse_dn

from uptake.connectors.people.snapshot import Department, Snapshot, Somebody
from uptake.connectors.pull.protocol import Forbidden, NeedsAttention, SignInRefused, Unfit, Unreachable

FILTER = "(|(objectClass=inetOrgPerson)(&(objectCategory=person)(objectClass=user)))"
PAGE = 500
SECONDS = 20
MOST = 100_000
DISABLED = 2
"""The bit of userAccountControl."""
NEVER = "000001010000Z"
"""pwdAccountLockedTime of an account that is locked for good."""
WANTED = (
    "entryUUID", "objectGUID", "cn", "displayName", "sn", "givenName", "mail", "employeeNumber", "employeeID", "title",
    "departmentNumber", "department", "manager", "memberOf", "userAccountControl", "pwdAccountLockedTime",
    "nsAccountLock",
)  # fmt: skip


def ldap(settings: Mapping[str, str], secrets: Mapping[str, str]) -> Snapshot:
    """All people below the base. Raises Problem."""
    base = settings.get("base", "")
    connection = opened(settings, secrets)
    try:
        units = _pages(connection, base, "(objectClass=organizationalUnit)", ("entryUUID", "objectGUID", "ou"))
        people = _pages(connection, base, settings.get("filter") or FILTER, WANTED)
    finally:
        connection.unbind()
    return read(base, units, people)


def opened(settings: Mapping[str, str], secrets: Mapping[str, str]) -> Connection:
    """Bound with a user and a password; without both nobody is asked, as that would be anonymous. Raises Problem."""
    parts = urlsplit(settings.get("address", ""))
    user, password = settings.get("user", ""), secrets.get("password", "")
    if parts.scheme not in ("ldap", "ldaps") or not parts.hostname:
        raise Unfit(settings.get("address", "")[:100], code="address")
    if not user or not password:
        raise SignInRefused("")
    encrypted = parts.scheme == "ldaps"
    tls = Tls(validate=ssl.CERT_REQUIRED)
    try:
        port = parts.port or (636 if encrypted else 389)
        server = Server(parts.hostname, port=port, use_ssl=encrypted, tls=tls, get_info=NONE, connect_timeout=SECONDS)
        connection = Connection(
            server,
            user=user,
            password=password,
            receive_timeout=SECONDS,
            raise_exceptions=True,
            read_only=True,
            # Nobody else is shown the password because this server says so.
            auto_referrals=False,
        )
        connection.open()
        if not encrypted and settings.get("unencrypted") != "yes" and not _start_tls(connection):
            raise NeedsAttention("", code="no_tls")
        connection.bind()
    except (LDAPInvalidCredentialsResult, LDAPBindError) as failure:
        raise SignInRefused(type(failure).__name__) from failure
    except LDAPStrongerAuthRequiredResult as failure:
        raise NeedsAttention(type(failure).__name__, code="no_tls") from failure
    except (LDAPSocketOpenError, OSError) as failure:
        raise Unreachable(str(failure)[:200]) from failure
    except (LDAPException, LookupError) as failure:  # ldap3 stumbles over a referral as answer to a bind
        raise SignInRefused(type(failure).__name__) from failure
    return connection


def _start_tls(connection: Connection) -> bool:
    try:
        return bool(connection.start_tls())
    except LDAPException:
        return False


def _pages(connection: Connection, base: str, condition: str, wanted: Iterable[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    try:
        pages = connection.extend.standard.paged_search(
            search_base=base,
            search_filter=condition,
            search_scope=SUBTREE,
            attributes=list(wanted),
            paged_size=PAGE,
            generator=True,
        )
        for entry in pages:
            if entry.get("type") == "searchResEntry":
                found.append({"dn": entry["dn"], **entry["raw_attributes"]})
            if len(found) > MOST:
                raise Unfit("", code="too_large")
    except LDAPNoSuchObjectResult as failure:
        raise Unfit(base[:100], code="not_found") from failure
    except LDAPInsufficientAccessRightsResult as failure:
        raise Forbidden("") from failure
    except LDAPException as failure:
        raise Unreachable(type(failure).__name__) from failure
    return found


def read(base: str, units: list[dict[str, Any]], people: list[dict[str, Any]]) -> Snapshot:
    """What entries mean. Pure."""
    within = _parts(base)
    by_path = {_parts(one["dn"]): one for one in units if len(_parts(one["dn"])) > len(within)}
    departments = {
        path: Department(key_of(one), text_of(one, "ou") or path[0].partition("=")[2], _above(path, by_path))
        for path, one in by_path.items()
    }
    named: dict[str, Department] = {}
    keys = {_parts(one["dn"]): key_of(one) for one in people}
    said = []
    for one in people:
        place = _above(_parts(one["dn"]), by_path)
        name = text_of(one, "department") or text_of(one, "departmentNumber")
        if not place and name:
            place = f"department/{name.casefold()}"[:255]
            named[place] = Department(place, name)
        said.append(
            Somebody(
                key=key_of(one),
                name=text_of(one, "displayName")
                or text_of(one, "cn")
                or f"{text_of(one, 'givenName')} {text_of(one, 'sn')}",
                email=text_of(one, "mail"),
                staff_number=text_of(one, "employeeNumber") or text_of(one, "employeeID"),
                work=text_of(one, "title"),
                place_key=place,
                manager_key=keys.get(_parts(text_of(one, "manager")), ""),
                active=is_active(one),
            )
        )
    return Snapshot((*departments.values(), *named.values()), tuple(one for one in said if one.key))


def key_of(entry: Mapping[str, Any]) -> str:
    """What an account is called for good."""
    if guid := next(iter(entry.get("objectGUID") or []), b""):
        return bytes(guid).hex()
    return text_of(entry, "entryUUID")


def text_of(entry: Mapping[str, Any], name: str) -> str:
    """The first value of an attribute, empty where there is none."""
    value = next(iter(entry.get(name) or []), b"")
    return value.decode(errors="replace").strip() if isinstance(value, bytes) else str(value).strip()


def _parts(dn: str) -> tuple[str, ...]:
    if not dn:
        return ()
    try:
        return tuple(f"{kind}={value}".casefold() for kind, value, _sign in parse_dn(dn))
    except LDAPException:
        return (dn.casefold(),)


def _above(path: tuple[str, ...], units: Mapping[tuple[str, ...], Mapping[str, Any]]) -> str:
    """The key of the nearest unit above an entry, below the base."""
    for start in range(1, len(path)):
        if path[start:] in units:
            return key_of(units[path[start:]])
    return ""


def is_active(entry: Mapping[str, Any]) -> bool:
    """Whether neither Active Directory nor OpenLDAP nor 389 says that it is locked for good."""
    control = text_of(entry, "userAccountControl")
    if control.isdecimal() and int(control) & DISABLED:
        return False
    return text_of(entry, "pwdAccountLockedTime") != NEVER and text_of(entry, "nsAccountLock").lower() != "true"
