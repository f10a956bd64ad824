"""The kinds of systems that can be asked, in one list."""

from __future__ import annotations

from collections.abc import Callable

from uptake.connectors.pull.declaration import BadDeclaration, Declaration
from uptake.connectors.pull.folder import Folder
from uptake.connectors.pull.fusion import Fusion
from uptake.connectors.pull.jiandaoyun import Jiandaoyun
from uptake.connectors.pull.protocol import Access, Connector
from uptake.connectors.pull.rest import OData, Rest
from uptake.connectors.pull.tryton import Tryton


def _sql(declaration: Declaration, access: Access) -> Connector:
    # SQLAlchemy takes a third of a second and 12 MB to load: only where a database is asked.
    from uptake.connectors.pull.sql import Sql

    return Sql(declaration, access)


ENGINES: dict[str, Callable[[Declaration, Access], Connector]] = {
    "rest": Rest,
    "odata": OData,
    "fusion": Fusion,
    "sql": _sql,
    "folder": Folder,
    "tryton": Tryton,
    "jiandaoyun": Jiandaoyun,
}


def open_connector(declaration: Declaration, access: Access) -> Connector:
    """The system, opened for reading. Raises BadDeclaration for an unknown kind, Problem where it cannot be opened."""
    if declaration.engine not in ENGINES:
        raise BadDeclaration("engine", f"one of {', '.join(ENGINES)}")
    return ENGINES[declaration.engine](declaration, access)
