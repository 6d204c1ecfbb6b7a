"""What OICP asks of an operator and OCPI does not tell: its hotline, its language, its standing in calibration law.

By party, ours or a partner's; it holds towards all partners of OICP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.units import Audit, Kind, Put, Unit
from partners.oicp.mapping.terms import Terms, terms_of

OICP_OPERATORS: Final = Kind("oicp_operators")
_NONE: Final = Terms()


class Operators:
    """All terms of operators, in memory, written through to the store."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._said: dict[str, dict[str, Any]] = {}
        self._terms: dict[str, Terms] = {}
        self._revision = -1
        self._listeners: list[Callable[[str], None]] = []

    def on_change(self, callback: Callable[[str], None]) -> None:
        """Call back with the party whose terms are other ones than before."""
        self._listeners.append(callback)

    async def refresh(self) -> None:
        """Read all, at the start and where another process wrote."""
        revision = self._hub.store.revision(OICP_OPERATORS)
        if revision == self._revision:
            return
        found = await self._hub.store.select(OICP_OPERATORS, limit=100_000)
        said = {document.key: msgspec.json.decode(document.body) for document in found}
        before, self._said, self._revision = self._said, said, revision
        for party in before.keys() | said.keys():
            if before.get(party) != said.get(party):
                self._now(party)

    def terms(self, party: str) -> Terms:
        """Those of a party; the usual ones, where nothing was said of it."""
        return self._terms.get(party, _NONE)

    def said(self, party: str) -> Mapping[str, Any]:
        """What was said of a party."""
        return self._said.get(party, {})

    def all(self) -> dict[str, dict[str, Any]]:
        """What was said, by party."""
        return dict(sorted(self._said.items()))

    async def say(self, party: Party, options: Mapping[str, Any], *, actor: str) -> dict[str, Any]:
        """Set options of an operator; "" or None takes one back. Raises: InvalidRequest, which names the option."""
        await self.refresh()
        at = str(party)
        said = {**self._said.get(at, {}), **options}
        said = {name: value for name, value in said.items() if value not in (None, "")}
        terms_of(said)
        unit = Unit().put(Put(OICP_OPERATORS, at, msgspec.json.encode(said), at))
        await self._hub.store.commit(unit.audited(Audit(actor, "oicp.operator", at, " ".join(sorted(options)))))
        await self.refresh()
        return said

    def _now(self, party: str) -> None:
        self._terms[party] = terms_of(self._said.get(party, {}))
        for listener in self._listeners:
            listener(party)
