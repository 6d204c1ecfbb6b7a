"""CDRs that a partner is still owed when it registers, perhaps again: those of its drivers that nobody has taken.

Its lane begins with what changes from now on, as all else can be pulled; but a CDR is a bill, and many partners only
take what is POSTed. So each registration is followed by one look through the CDRs of the partner's parties, from the
process that works; which registration that was done for is kept, so that a crash in between does no harm.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hub.core.delivery import only_for
from hub.core.operations import EMSP_LIKE
from hub.core.ports import Hub
from hub.core.registry import Partner
from hub.core.units import Change, Kind, Put, Unit
from modules.cdrs.store import CDRS, DELIVERIES

OWED: Final = Kind("cdrs_owed")
"""By name of a partner: the registration after which it was looked (its time)."""
_A_STEP: Final = 200


async def send_owed(hub: Hub) -> None:
    """Put what is owed into the lanes of partners that registered since the last look."""
    partners = {p.name: p for p in hub.registry.connected() if p.roles & EMSP_LIKE}
    looked = await hub.store.get_many(OWED, list(partners))
    for name, partner in partners.items():
        if name not in looked or looked[name].body.decode() != partner.since:
            await _look(hub, partner)


async def _look(hub: Hub, partner: Partner) -> None:
    for party in sorted(partner.parties):
        after = 0
        while found := await hub.store.select(CDRS, equal={"audience": party}, after_seq=after, limit=_A_STEP):
            after = found[-1].seq
            owed = await owed_of(hub, [document.key for document in found], besides=frozenset({"refused"}))
            if owed:
                await hub.store.commit(Unit(changes=marks(partner.name, owed)))
    await hub.store.commit(Unit().put(Put(OWED, partner.name, partner.since.encode())))


async def owed_of(hub: Hub, keys: list[str], *, besides: frozenset[str] = frozenset()) -> list[str]:
    """Those of these CDRs that were delivered to nobody, in their order; without those in a state of `besides`.

    What a partner refused for its content waits for an operator (`busbar cdr resend`).
    """
    among = {"cdr": keys, "state": sorted({"delivered", *besides})}
    page = await hub.store.page(DELIVERIES, date_from=None, date_to=None, offset=0, limit=10 * _A_STEP, among=among)
    taken = {document.columns["cdr"] for document in page.documents}
    return [key for key in keys if key not in taken]


def marks(partner: str, keys: Iterable[str]) -> list[Change]:
    """What lets one partner's lane send these CDRs."""
    return [only_for(partner, "cdrs", key) for key in keys]
