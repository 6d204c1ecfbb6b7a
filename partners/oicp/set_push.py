"""A set of ours at another hub (cards, products, prices of EVSEs), kept as it is here: only what differs is sent.

What the hub has taken is on disk, by digest. Inserts go first, then updates, then deletes; what would take back more
than a fifth waits for an operator, as with EVSEs. What the hub does not take is set aside until it is another one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import structlog

from hub.core.errors import NotFound
from hub.core.inbound import encode, parse
from hub.core.units import Audit, Delete, Document, Kind, Put, Unit
from partners.oicp.bridge import Bridge
from partners.oicp.connection import Connection
from partners.oicp.evse_sending import WRITES, Items, Record, Sending, cut
from partners.oicp.findings import finding
from partners.oicp.shrinking import is_much

log = structlog.get_logger()

OICP_SETS: Final = Kind("oicp_sets", columns=("set", "digest"), indexed=("set",))
OICP_HELD: Final = Kind("oicp_held")
_REFUSED: Final = "!"
_CONFIRMED: Final = b"confirmed"
_LIMIT: Final = 1024 * 1024
_READ: Final = 1000


@dataclass(frozen=True, slots=True)
class OurSet:
    """Which set it is, and how it is pushed. `named` is how an operator knows one of its items: no card number."""

    name: str
    operation: str
    asking: str
    """Our id in the path."""
    owner: str
    message: Callable[[str, Items], Record]


class SetPush:
    """See the module."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._store = bridge.hub.store

    async def push(
        self, connection: Connection, ours: OurSet, items: Mapping[str, Record], *, at_once: Collection[str] = ()
    ) -> None:
        """Bring the hub to where `items` are, by key; `at_once`: what is taken back without a word of an operator.

        Raises: PeerFault's children, Refusal, NotReady.
        """
        at = f"{connection.partner}/{ours.name}"
        known = await self._known(at)
        digests = {key: blake2b(encode(record), digest_size=16).hexdigest() for key, record in items.items()}
        changed = [key for key, digest in digests.items() if known.get(key, "").removeprefix(_REFUSED) != digest]
        ended = [key for key in known if key in at_once and key not in items]
        missing = [key for key in known if key not in items and key not in at_once]
        inserts = [key for key in changed if key not in known or known[key].startswith(_REFUSED)]
        updates = [key for key in changed if key in known and not known[key].startswith(_REFUSED)]
        sending = Sending(self._bridge, connection, ours.operation, ours.message, ours.asking)
        for action, keys in (("insert", inserts), ("update", updates)):
            for piece in cut(keys, connection.push_size):
                some = [(key, items[key]) for key in piece]
                await self._send(sending, action, some, at, digests, ours)
        if await self._may_shrink(at, missing, known):
            ended += missing
        if ended:
            await self._take_back(connection, sending, ended, known, at, ours)

    async def _known(self, at: str) -> dict[str, str]:
        """Digests by key."""
        found: dict[str, str] = {}
        after = 0
        while documents := await self._store.select(OICP_SETS, equal={"set": at}, limit=_READ, after_seq=after):
            found.update({each.key.removeprefix(f"{at}/"): each.columns["digest"] for each in documents})
            after = documents[-1].seq
        return found

    async def _send(
        self, sending: Sending, action: str, some: Items, at: str, digests: Mapping[str, str], ours: OurSet
    ) -> None:
        records = dict(some)

        async def taken(told: Items) -> None:
            for piece in cut(told, WRITES):
                unit = Unit()
                for key, record in piece:
                    unit.put(_put(at, key, digests[key], record))
                await self._store.commit(unit)

        async def refused(key: str, code: str, why: str) -> None:
            unit = Unit().put(_put(at, key, _REFUSED + digests[key], records[key]))
            reason = f"not told to {at.partition('/')[0]}: StatusCode {code}"
            unit.writes.append(finding(f"set/{at}/{key}", ours.owner, {f"{ours.name} {key}": reason}))
            await self._store.commit(unit)

        await sending.push(action, some, taken=taken, refused=refused)

    async def _take_back(
        self,
        connection: Connection,
        sending: Sending,
        gone: Sequence[str],
        known: Mapping[str, str],
        at: str,
        ours: OurSet,
    ) -> None:
        there = [key for key in gone if not known[key].startswith(_REFUSED)]
        found = await self._store.get_many(OICP_SETS, [f"{at}/{key}" for key in there])
        told = [(key, parse(found[f"{at}/{key}"].body, limit=_LIMIT)) for key in there]

        async def taken(some: Items) -> None:
            await self._forget(at, [key for key, _ in some])

        async def refused(key: str, code: str, why: str) -> None:
            await self._forget(at, [key])

        await self._forget(at, [key for key in gone if known[key].startswith(_REFUSED)])
        for some in cut(told, connection.push_size):
            await sending.push("delete", some, taken=taken, refused=refused)

    async def _forget(self, at: str, keys: Sequence[str]) -> None:
        for some in cut(keys, WRITES):
            unit = Unit()
            for key in some:
                unit.delete(Delete(OICP_SETS, f"{at}/{key}"))
                unit.writes.append(finding(f"set/{at}/{key}", "", {}))
            await self._store.commit(unit)

    async def _may_shrink(self, at: str, missing: Sequence[str], known: Mapping[str, str]) -> bool:
        """The guard; what the hub never took does not count."""
        there = {key for key, digest in known.items() if not digest.startswith(_REFUSED)}
        gone, had = len(there.intersection(missing)), len(there)
        held = await self._store.get(OICP_HELD, at)
        is_confirmed = held is not None and held.body == _CONFIRMED
        if is_much(gone, had) and not is_confirmed:
            log.error("a set is not taken back", set=at, removed=gone, of=had)
            await self._store.commit(Unit().put(Put(OICP_HELD, at, f"{gone} of {had}".encode())))
            return False
        if held is not None:
            await self._store.commit(Unit().delete(Delete(OICP_HELD, at)))
        return True

    async def held(self, name: str) -> list[str]:
        """The sets that wait at a hub for the word of an operator, as one names them."""
        held = (each for each in await self._store.select(OICP_HELD) if each.body != _CONFIRMED)
        return [_word(each) for each in held if each.key.partition("/")[0] == name]

    async def confirm(self, name: str, what: str, *, actor: str) -> None:
        """What is held of a set at a hub may go. Raises: NotFound, where nothing is."""
        if what not in await self.held(name):
            raise NotFound("nothing is held there")
        unit = Unit().put(Put(OICP_HELD, f"{name}/{what.replace('-', ' ')}", _CONFIRMED))
        await self._store.commit(unit.audited(Audit(actor, "oicp.confirmed", name, what)))

    async def shown(self) -> list[dict[str, Any]]:
        """What is held."""
        return [
            {
                "owner": each.key.partition("/")[0],
                "reason": f"{each.body.decode()} {each.key.partition('/')[2]} would be taken back: "
                f"busbar oicp confirm --what {_word(each)}",
                "things": int(each.body.split()[0]),
                "example": "",
            }
            for each in await self._store.select(OICP_HELD)
            if each.body != _CONFIRMED
        ]


def _put(at: str, key: str, digest: str, record: Record) -> Put:
    return Put(OICP_SETS, f"{at}/{key}", encode(record), columns=(at, digest))


def _word(held: Document) -> str:
    """How an operator names a set."""
    return held.key.partition("/")[2].replace(" ", "-")
