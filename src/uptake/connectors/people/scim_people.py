"""What a SCIM user means in the directory: name, address, staff number, department. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uptake.connectors.people.scim import ENTERPRISE
from uptake.connectors.people.snapshot import Department, Somebody


def somebody_of(key: str, said: Mapping[str, Any], *, place_key: str = "") -> Somebody:
    """The person a user is; `place_key` is that of a group, where groups are departments."""
    enterprise = said.get(ENTERPRISE, {})
    department = department_of(said)
    return Somebody(
        key=key,
        name=name_of(said),
        email=email_of(said),
        staff_number=enterprise.get("employeeNumber", ""),
        work=said.get("title", ""),
        place_key=place_key or (department.key if department else ""),
        manager_key=enterprise.get("manager", {}).get("value", ""),
        active=said.get("active", True),
    )


def department_of(said: Mapping[str, Any]) -> Department | None:
    """The department a user names, by its name alone."""
    name = " ".join(str(said.get(ENTERPRISE, {}).get("department", "")).split())
    return Department(f"department/{name.casefold()}"[:255], name) if name else None


def name_of(said: Mapping[str, Any]) -> str:
    """The name as it is shown; else of its parts, in the order of the language it is written in; else the login."""
    parts = said.get("name", {})
    if whole := said.get("displayName") or parts.get("formatted"):
        return str(whole)
    family, given = parts.get("familyName", ""), parts.get("givenName", "")
    joined = f"{given} {family}" if f"{family}{given}".isascii() else f"{family}{given}"
    return joined.strip() or str(said.get("userName", ""))


def email_of(said: Mapping[str, Any]) -> str:
    """The primary address, else that of work, else the first; else the login where it looks like one."""
    emails = [one for one in said.get("emails", []) if one.get("value")]
    emails.sort(key=lambda one: (not one.get("primary"), str(one.get("type", "")).lower() != "work"))
    if emails:
        return str(emails[0]["value"])
    login = str(said.get("userName", ""))
    return login if "@" in login else ""
