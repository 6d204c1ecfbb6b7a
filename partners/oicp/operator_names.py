"""What our operators are called at a hub where we are a CPO, as was said of them (`busbar oicp operator --name`)."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from typing import Final

from hub.core.inbound import encode
from hub.core.ports import Hub
from partners.oicp import ids
from partners.oicp.agreed import terms_with
from partners.oicp.connections import Connection
from partners.oicp.operators import Operators

_LONGEST: Final = 100


class OperatorNames:
    """See the module."""

    def __init__(self, hub: Hub, operators: Operators) -> None:
        self._hub = hub
        self._operators = operators

    async def refresh(self) -> None:
        """Read what another process wrote."""
        await self._operators.refresh()

    def of(self, connection: Connection, operator: str) -> str:
        """The OperatorName of an OperatorID of ours there; what the terms of the connection say goes before it.

        It is the id itself, where nobody said a name.
        """
        said = {"operator_name": self._said(connection, operator)}
        return (terms_with(connection, said).operator_name or operator)[:_LONGEST]

    def words(self, connection: Connection) -> str:
        """In which words EVSEs are told there: where those are other ones, all EVSEs are told anew."""
        told = [list(connection.operator_ids), connection.operator_style, connection.terms]
        names = [self._said(connection, each) for each in connection.operator_ids]
        return sha256(encode([*told, names] if any(names) else told)).hexdigest()

    def _said(self, connection: Connection, operator: str) -> str:
        """Of the party that the id is; of our own, where the hub has given us an id that is no party here."""
        parties = [self._hub.settings.party]
        with suppress(ids.InvalidId):
            party = ids.OperatorID.parse(operator).party(connection.countries)
            is_anothers = self._hub.registry.find_party(party) is not None
            parties = [str(party)] if is_anothers else [str(party), *parties]
        names = (self._operators.said(each).get("operator_name") for each in parties)
        return str(next(filter(None, names), ""))
