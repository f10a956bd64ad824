"""Opens the system of a connection with its settings, its secrets and its zone. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

from uptake.connectors.models import Pull
from uptake.connectors.pull.declaration import Declaration, read_yaml
from uptake.connectors.pull.engines import open_connector
from uptake.connectors.pull.mapping import Reading
from uptake.connectors.pull.protocol import Access, Connector
from uptake.connectors.pull.secrets import opened
from uptake.directory.place import settings_at
from uptake.events.models import Connection


def declared(pull: Pull) -> Declaration:
    """The declaration of a connection. Raises BadDeclaration."""
    return read_yaml(pull.declaration)[0]


def access_of(pull: Pull, declaration: Declaration) -> Access:
    """What its system is opened with. Raises SignInRefused where the secrets cannot be opened."""
    return access(pull.connection, declaration, pull.settings, opened(pull.secrets))


def access(
    connection: Connection, declaration: Declaration, given: Mapping[str, str], secrets: Mapping[str, str]
) -> Access:
    """What a system is opened with: settings that were not given have their defaults."""
    known = {one.name: one.default for one in declaration.settings if one.default and not one.secret}
    filled = {**known, **{name: text for name, text in given.items() if text}}
    return Access(filled, secrets, zone_of(connection), str(inbox(connection.slug)))


def zone_of(connection: Connection) -> str:
    """Of times that name none: the connection's zone, else that of its place when it was made, as the clock of a system
    does not turn with the dates of those who work with it."""
    return connection.timezone or settings_at(connection.organization).at(connection.created_at).zone


def inbox(slug: str) -> Path:
    """Where other systems put the files of a connection: UPTAKE_DATA/inbox/<short name>."""
    return Path(settings.DATA) / "inbox" / slug


def reading_of(pull: Pull, declaration: Declaration, filled: Mapping[str, str]) -> Reading:
    """What its records are read with."""
    return Reading(
        declaration=declaration,
        source=pull.connection.slug,
        zone=zone_of(pull.connection),
        settings=filled,
        history_before=None if pull.earn_history else pull.activated_at,
        side_effects_earn=pull.side_effects_earn,
    )


def open_pull(pull: Pull) -> tuple[Declaration, Access, Connector]:
    """The system of a connection. Raises Problem, BadDeclaration."""
    declaration = declared(pull)
    filled = access_of(pull, declaration)
    return declaration, filled, open_connector(declaration, filled)
