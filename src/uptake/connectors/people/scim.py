"""SCIM 2.0 (RFC 7643, 7644) as plain values: schemas, what a body means, filters and PATCH. Pure.

Lenient where Microsoft Entra ID and Okta are known to depart from the standard: `op` in any case, booleans as texts,
a manager as a bare text, paths as keys of a value without a path, and a filter in a path that finds nothing but says
what it looks for.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
MOST_OPERATIONS = 1000
LONGEST = 1000
MOST_VALUES = 10_000


class Refused(Exception):
    """A request that is refused: HTTP status, scimType and why."""

    def __init__(self, status: int, detail: str, kind: str = "") -> None:
        super().__init__(detail)
        self.status, self.detail, self.kind = status, detail, kind


@dataclass(frozen=True)
class Attribute:
    """One attribute of a schema (RFC 7643, section 2.2)."""

    name: str
    type: str = "string"
    multi: bool = False
    required: bool = False
    mutability: str = "readWrite"
    unique: str = "none"
    exact: bool = False
    subs: tuple[Attribute, ...] = ()
    references: tuple[str, ...] = ()
    says: str = ""

    def sub(self, name: str) -> Attribute | None:
        return next((one for one in self.subs if one.name.lower() == name.lower()), None)

    def described(self) -> dict[str, Any]:
        """As an entry of the schema's `attributes`."""
        said: dict[str, Any] = {
            "name": self.name,
            "type": self.type,
            "multiValued": self.multi,
            "description": self.says or self.name,
            "required": self.required,
            "mutability": self.mutability,
            "returned": "always" if self.name == "id" else "default",
        }
        if self.type != "complex" and self.type != "boolean":
            said |= {"caseExact": self.exact, "uniqueness": self.unique}
        if self.subs:
            said["subAttributes"] = [one.described() for one in self.subs]
        if self.references:
            said["referenceTypes"] = list(self.references)
        return said


A = Attribute
_VALUE = A("value", says="The value itself")
EXTERNAL_ID = A("externalId", exact=True, says="The id of the client")
USER_ATTRIBUTES = (
    A("userName", required=True, unique="server", says="Unique within the source; any case"),
    A(
        "name",
        "complex",
        subs=(A("formatted"), A("familyName"), A("givenName"), A("middleName")),
        says="Parts of the name",
    ),
    A("displayName", says="The name as it is shown"),
    A("title", says="Their work"),
    A("active", "boolean", says="Whether they belong to the company; false ends it and closes the login"),
    A(
        "emails",
        "complex",
        multi=True,
        subs=(_VALUE, A("type"), A("primary", "boolean")),
        says="The primary one counts",
    ),
)
ENTERPRISE_ATTRIBUTES = (
    A("employeeNumber", says="Staff number"),
    A("department", says="Name of the department; made where the company has none of it"),
    A(
        "manager",
        "complex",
        subs=(A("value", exact=True), A("displayName", mutability="readOnly")),
        says="The id of their manager",
    ),
)
GROUP_ATTRIBUTES = (
    A("displayName", required=True, says="Its name"),
    A(
        "members",
        "complex",
        multi=True,
        subs=(
            A("value", exact=True, mutability="immutable"),
            A("$ref", "reference", exact=True, mutability="immutable", references=("User",)),
        ),
        says="Ids of users",
    ),
)
SCHEMAS: Mapping[str, tuple[str, tuple[Attribute, ...]]] = {
    USER: ("User", USER_ATTRIBUTES),
    ENTERPRISE: ("EnterpriseUser", ENTERPRISE_ATTRIBUTES),
    GROUP: ("Group", GROUP_ATTRIBUTES),
}
EXTENSIONS: Mapping[str, tuple[str, ...]] = {USER: (ENTERPRISE,), GROUP: ()}


def attributes_of(schema: str) -> tuple[Attribute, ...]:
    """The attributes of a resource's own schema, with externalId."""
    return (EXTERNAL_ID, *SCHEMAS[schema][1])


def cleaned(body: Any, schema: str) -> dict[str, Any]:
    """What of a body the schema knows, by the names the schema gives; the rest is left out and never kept.

    Raises Refused for values of the wrong type and for required ones that are missing.
    """
    if not isinstance(body, Mapping):
        raise Refused(400, "The body is no JSON object.", "invalidSyntax")
    kept = _cleaned(body, attributes_of(schema), "")
    lower = {str(key).lower(): value for key, value in body.items()}
    for extension in EXTENSIONS[schema]:
        said = lower.get(extension.lower())
        if isinstance(said, Mapping):
            inner = _cleaned(said, SCHEMAS[extension][1], f"{extension}:")
            if inner:
                kept[extension] = inner
    for one in attributes_of(schema):
        if one.required and not kept.get(one.name):
            raise Refused(400, f"{one.name} is required.", "invalidValue")
    return kept


def _cleaned(body: Mapping[str, Any], attributes: Sequence[Attribute], path: str) -> dict[str, Any]:
    lower = {str(key).lower(): value for key, value in body.items()}
    kept = {}
    for one in attributes:
        value = lower.get(one.name.lower())
        if one.mutability == "readOnly" or value is None or value == []:
            continue
        if one.multi:
            values = value if isinstance(value, list) else [value]
            if len(values) > MOST_VALUES:
                raise Refused(400, f"{path}{one.name} has too many values.", "tooMany")
            many = [_value(item, one, path) for item in values]
            unlike: list[Any] = []
            seen: set[str] = set()
            for item in many:
                if item and repr(item) not in seen:
                    seen.add(repr(item))
                    unlike.append(item)
            if unlike:
                kept[one.name] = unlike
        else:
            value = _value(value, one, path)
            if value not in ("", {}):
                kept[one.name] = value
    return kept


def _value(value: Any, one: Attribute, path: str) -> Any:
    if one.type == "complex":
        if isinstance(value, str) and one.sub("value"):
            value = {"value": value}  # Entra ID sends a manager, and Okta e-mails, as bare texts
        if not isinstance(value, Mapping):
            raise Refused(400, f"{path}{one.name} is no object.", "invalidValue")
        return _cleaned(value, one.subs, f"{path}{one.name}.")
    if one.type == "boolean":
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        if not isinstance(value, bool):
            raise Refused(400, f"{path}{one.name} is neither true nor false.", "invalidValue")
        return value
    if not isinstance(value, str) or len(value) > LONGEST or "\x00" in value:
        raise Refused(400, f"{path}{one.name} is no text, or too long.", "invalidValue")
    return value


# filters

TOKEN = re.compile(r'\s*(?:(\()|(\))|(\[)|(\])|("(?:[^"\\]|\\.)*")|([^\s()\[\]"]+))')
COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "co": lambda a, b: isinstance(a, str) and isinstance(b, str) and b in a,
    "sw": lambda a, b: isinstance(a, str) and isinstance(b, str) and a.startswith(b),
    "ew": lambda a, b: isinstance(a, str) and isinstance(b, str) and a.endswith(b),
    "gt": lambda a, b: type(a) is type(b) and a > b,
    "ge": lambda a, b: type(a) is type(b) and a >= b,
    "lt": lambda a, b: type(a) is type(b) and a < b,
    "le": lambda a, b: type(a) is type(b) and a <= b,
}
EXACT = frozenset({"id", "externalid", "meta.version", "value"})
Test = Callable[[Mapping[str, Any]], bool]


@dataclass(frozen=True)
class Filter:
    """A filter: whether a resource passes, and `equals`, {attribute: value} if it is nothing but that."""

    test: Test
    equals: Mapping[str, Any]


def filter_of(text: str) -> Filter:
    """The filter in a text. Raises Refused(invalidFilter)."""
    if len(text) > LONGEST:
        raise Refused(400, "The filter is too long.", "invalidFilter")
    tokens: list[str] = []
    at = 0
    while text[at:].strip():
        found = TOKEN.match(text, at)
        if found is None:
            raise Refused(400, f"The filter cannot be read at character {at}.", "invalidFilter")
        tokens.append(found[0].strip())
        at = found.end()
    reader = _Filters(tokens)
    whole = reader.any_of()
    if reader.tokens:
        raise Refused(400, f"The filter cannot be read from {reader.tokens[0]}.", "invalidFilter")
    return whole


class _Filters:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.depth = 0

    def next(self) -> str:
        if not self.tokens:
            raise Refused(400, "The filter ends too early.", "invalidFilter")
        return self.tokens.pop(0)

    def word(self, word: str) -> bool:
        if self.tokens and self.tokens[0].lower() == word:
            self.tokens.pop(0)
            return True
        return False

    def any_of(self) -> Filter:
        found = [self.all_of()]
        while self.word("or"):
            found.append(self.all_of())
        if len(found) == 1:
            return found[0]
        return Filter(lambda one: any(each.test(one) for each in found), {})

    def all_of(self) -> Filter:
        found = [self.one()]
        while self.word("and"):
            found.append(self.one())
        if len(found) == 1:
            return found[0]
        return Filter(lambda one: all(each.test(one) for each in found), {})

    def one(self) -> Filter:
        self.depth += 1
        if self.depth > 50:
            raise Refused(400, "The filter is too deep.", "invalidFilter")
        if self.word("not"):
            inner = self.one()
            return Filter(lambda one: not inner.test(one), {})
        if self.word("("):
            inner = self.any_of()
            self._close(")")
            return inner
        path = self.next()
        if self.word("["):
            inner = self.any_of()
            self._close("]")
            if self.tokens and self.tokens[0].startswith("."):
                return self._compare(path, self.next()[1:], inner.test)
            return Filter(lambda one: any(inner.test(item) for item in _items(one, path)), {})
        return self._compare(path, "", None)

    def _close(self, sign: str) -> None:
        if not self.word(sign):
            raise Refused(400, f"The filter lacks {sign}.", "invalidFilter")

    def _compare(self, path: str, sub: str, within: Test | None) -> Filter:
        operator = self.next().lower()
        if not re.fullmatch(r"[A-Za-z$][\w:.\-$]*", path):
            raise Refused(400, f"{path} is no attribute.", "invalidFilter")

        def values(one: Mapping[str, Any]) -> list[Any]:
            if within is None:
                return list(values_at(one, path))
            return [item.get(sub) for item in _items(one, path) if within(item)]

        if operator == "pr":
            return Filter(lambda one: any(value not in (None, "", [], {}) for value in values(one)), {})
        compare = COMPARISONS.get(operator)
        if compare is None:
            raise Refused(400, f"{operator} is no comparison.", "invalidFilter")
        wanted = _literal(self.next())
        exact = path.lower() in EXACT

        def plain(value: Any) -> Any:
            return value.lower() if isinstance(value, str) and not exact else value

        want = plain(wanted)
        if operator == "ne":
            return Filter(lambda one: all(plain(value) != want for value in values(one)), {})
        equals = {path.lower(): wanted} if operator == "eq" and within is None else {}
        return Filter(lambda one: any(compare(plain(value), want) for value in values(one)), equals)


def _literal(token: str) -> Any:
    if token.startswith('"'):
        return re.sub(r"\\(.)", r"\1", token[1:-1])
    named: Mapping[str, Any] = {"true": True, "false": False, "null": None}
    if token.lower() in named:
        return named[token.lower()]
    try:
        return float(token) if "." in token else int(token)
    except ValueError:
        raise Refused(400, f"{token} is no value.", "invalidFilter") from None


def _items(one: Mapping[str, Any], path: str) -> list[Mapping[str, Any]]:
    found = _get(one, path)
    return [item for item in (found if isinstance(found, list) else [found]) if isinstance(item, Mapping)]


def values_at(one: Mapping[str, Any], path: str) -> Iterator[Any]:
    """The values at a path of a resource, of lists each; a list of objects stands for their `value`."""
    urn, rest = _apart(path)
    parts = rest.split(".") if rest else []
    found: list[Any] = [_get(one, urn) if urn not in ("", USER, GROUP) else one]
    for part in parts:
        found = [
            inner
            for item in found
            if isinstance(item, Mapping)
            for value in [_get(item, part)]
            for inner in (value if isinstance(value, list) else [value])
        ]
    for item in found:
        yield item.get("value") if isinstance(item, Mapping) and "value" in item else item


def _get(one: Mapping[str, Any], name: str) -> Any:
    return next((value for key, value in one.items() if key.lower() == name.lower()), None)


def _apart(path: str) -> tuple[str, str]:
    """(schema, rest) of a path that may begin with the name of a schema."""
    for schema in SCHEMAS:
        if path.lower() == schema.lower():
            return schema, ""
        if path.lower().startswith(f"{schema.lower()}:"):
            return schema, path[len(schema) + 1 :]
    return "", path


# PATCH

STEP = re.compile(r"([A-Za-z$][\w\-$]*)(?:\[(.*)\])?(?:\.([A-Za-z$][\w\-$]*))?", re.DOTALL)


def patched(resource: Mapping[str, Any], body: Any, schema: str) -> dict[str, Any]:
    """The resource after the operations of a PATCH, all or none. Raises Refused."""
    if not isinstance(body, Mapping):
        raise Refused(400, "The body is no JSON object.", "invalidSyntax")
    schemas = _get(body, "schemas")
    operations = _get(body, "Operations")
    if not isinstance(operations, list) or (isinstance(schemas, list) and PATCH not in schemas):
        raise Refused(400, "This is no PatchOp with Operations.", "invalidSyntax")
    if len(operations) > MOST_OPERATIONS:
        raise Refused(400, "Too many operations.", "tooMany")
    changed: dict[str, Any] = copy.deepcopy(dict(resource))
    for operation in operations:
        if not isinstance(operation, Mapping):
            raise Refused(400, "An operation is no object.", "invalidSyntax")
        deed = str(_get(operation, "op") or "").lower()
        path, value = _get(operation, "path"), _get(operation, "value")
        if deed not in ("add", "replace", "remove"):
            raise Refused(400, f"{deed} is no operation.", "invalidSyntax")
        if path is not None and not isinstance(path, str):
            raise Refused(400, "A path is a text.", "invalidPath")
        if path:
            _operate(changed, deed, path, value, schema)
        elif deed == "remove":
            raise Refused(400, "A removal needs a path.", "noTarget")
        elif not isinstance(value, Mapping):
            raise Refused(400, "Without a path the value is an object.", "invalidValue")
        else:
            for key, inner in value.items():
                _operate(changed, deed, str(key), inner, schema, lenient=True)
    return cleaned(changed, schema)


def _operate(changed: dict[str, Any], deed: str, path: str, value: Any, schema: str, *, lenient: bool = False) -> None:
    urn, rest = _apart(path)
    if urn in EXTENSIONS[schema] and not rest:
        if deed == "remove":
            changed.pop(urn, None)
            return
        if not isinstance(value, Mapping):
            raise Refused(400, f"{path} is no object.", "invalidValue")
        for key, inner in value.items():
            _operate(changed, deed, f"{urn}:{key}", inner, schema, lenient=lenient)
        return
    extended = urn in EXTENSIONS[schema]
    attributes = SCHEMAS[urn][1] if extended else attributes_of(schema)
    step = STEP.fullmatch(rest)
    if step is None:
        raise Refused(400, f"{path} is no path.", "invalidPath")
    attribute = next((one for one in attributes if one.name.lower() == step[1].lower()), None)
    if attribute is None:
        if step[1].lower() in ("id", "meta", "groups") and not lenient:
            raise Refused(400, f"{step[1]} cannot be changed.", "mutability")
        return  # not known here, as with POST and PUT: left out
    target = changed.setdefault(urn, {}) if extended else changed
    sub = attribute.sub(step[3]) if step[3] else None
    if step[3] and sub is None:
        return
    _change(target, deed, attribute, step[2] or "", sub, value, path)


def _change(
    target: dict[str, Any], deed: str, attribute: Attribute, within: str, sub: Attribute | None, value: Any, path: str
) -> None:
    name = attribute.name
    if (sub or attribute).mutability == "readOnly":
        raise Refused(400, f"{path} cannot be changed.", "mutability")
    if attribute.multi and (within or sub):
        _change_items(target, deed, attribute, within, sub, value, path)
    elif sub is not None:
        inner = target.setdefault(name, {})
        if deed == "remove":
            inner.pop(sub.name, None)
        else:
            inner[sub.name] = value
    elif deed == "remove":
        if attribute.required:
            raise Refused(400, f"{path} is required.", "mutability")
        if attribute.multi and value:
            # Entra ID removes members by naming them as the value
            gone = [_value(one, attribute, "").get("value") for one in (value if isinstance(value, list) else [value])]
            target[name] = [one for one in target.get(name, []) if one.get("value") not in gone]
        else:
            target.pop(name, None)
    elif attribute.multi:
        new = [_value(one, attribute, "") for one in (value if isinstance(value, list) else [value] if value else [])]
        target[name] = _joined(target.get(name, []) if deed == "add" else [], new)
    elif attribute.type == "complex" and value is not None:
        said = _value(value, attribute, "")
        target[name] = {**target.get(name, {}), **said}
    else:
        target[name] = value


def _joined(items: list[Any], new: list[Any]) -> list[Any]:
    if any(one.get("primary") for one in new):
        items = [{**one, "primary": False} if one.get("primary") else one for one in items]
    seen = {repr(sorted(one.items())) for one in items}
    return items + [one for one in new if repr(sorted(one.items())) not in seen]


def _change_items(
    target: dict[str, Any], deed: str, attribute: Attribute, within: str, sub: Attribute | None, value: Any, path: str
) -> None:
    items: list[dict[str, Any]] = list(target.get(attribute.name, []))
    condition = filter_of(within) if within else Filter(lambda one: True, {})
    chosen = [one for one in items if condition.test(one)]
    if deed == "remove":
        if sub is None:
            target[attribute.name] = [one for one in items if one not in chosen]
        for one in chosen:
            if sub is not None:
                one.pop(sub.name, None)
        return
    if not chosen:
        named = {
            found.name: wanted for key, wanted in condition.equals.items() if (found := attribute.sub(key)) is not None
        }
        if within and not named:
            raise Refused(400, f"{path} finds nothing.", "noTarget")
        chosen = [named]
        items.append(named)
    said = _value(value, attribute, "") if sub is None else {sub.name: value}
    for one in chosen:
        if said.get("primary"):
            for other in items:
                if other.get("primary"):
                    other["primary"] = False
        one.update(said)
    target[attribute.name] = items
