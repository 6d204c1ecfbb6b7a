"""What a command leaves for the tap that follows it: the token is allowed at that charger, unless the charger said no.

The eMSP authorized its driver before (REQ-198), so a card or an idTag that the charger shows us within 15 minutes is
accepted. A charger that refuses the order will not show it: then what stood before the command stands again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from hub.core.parties import Party
from hub.core.ports import Hub, Outcome
from hub.core.units import Delete, Document, Put, Unit
from modules.commands import store as commands
from modules.tokens import service as tokens
from modules.tokens.authorize import By, Decision, remember
from modules.tokens.model import Token

_MAY_FOLLOW: Final = frozenset({Outcome.ACCEPTED, Outcome.TIMEOUT})
"""Outcomes after which a charge may begin. What did not answer in time may have heard us."""


@dataclass(frozen=True, slots=True)
class Consent:
    """Decisions that a command writes, and what they take the place of."""

    puts: tuple[Put, ...]
    before: Mapping[str, Document]

    @property
    def unit(self) -> Unit:
        """To be committed with the command."""
        return Unit(list(self.puts))


async def consent(
    hub: Hub, command: commands.Command, owner: Party, token: Token, id_tag: str, reference: str | None
) -> Consent:
    """The charger may ask for this token in the next 15 minutes, as a card or by the id tag we give: it is allowed."""
    known = await tokens.find(hub.store, owner, token.uid, token.type)
    seen = known.version if known is not None else 0
    decision = Decision("ALLOWED", By.COMMAND, token.tree(), str(owner), reference, seen=seen)
    now = hub.clock.now()
    written = [remember(decision, uid, at=command.station, now=now, command=command.id) for uid in (token.uid, id_tag)]
    puts = {put.key: put for put in written}
    return Consent(tuple(puts.values()), await hub.store.get_many(written[0].kind, list(puts)))


async def settle(hub: Hub, given: Consent, outcome: Outcome) -> Unit:
    """What the charger's answer leaves of it: nothing after a no. What others wrote since is left alone."""
    unit = Unit()
    if outcome in _MAY_FOLLOW:
        return unit
    kept = {key: d for put in given.puts for key, d in (await hub.store.get_many(put.kind, [put.key])).items()}
    for put in given.puts:
        now, before = kept.get(put.key), given.before.get(put.key)
        if now is None or now.body != put.body:
            continue
        if before is not None and await _holds(hub, before):
            unit.put(Put(put.kind, put.key, before.body, last_updated=before.last_updated, expect=now.version))
        else:
            unit.delete(Delete(put.kind, put.key, now.version))
    return unit


async def _holds(hub: Hub, before: Document) -> bool:
    """Does it rest on something else than a command that a charger refused?"""
    document = await commands.find_command(hub.store, msgspec.json.decode(before.body).get("command", ""))
    result = commands.command_in(document).result if document is not None else ""
    return not result or Outcome(result) in _MAY_FOLLOW
