"""Results that come later: the `response_url` of a request that was passed on is ours, and what comes there goes home.

    caller --response_url: theirs--> hub --response_url: ours--> receiver
           <--------result----------     <-----result-----------

What was promised is on disk before the request goes out (`Expected.put`). A result is taken once, only from the
platform that the request went to, and it is on disk before that platform is answered; then it is told to the caller,
in the caller's version, again after a stop of ours. A POST that had no answer is repeated until the announced time is
over: a lost result leaves a driver waiting, and the same one twice, at the URL of one request, says nothing new. What
comes after that time is answered with success and goes nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeVar
from uuid import uuid4

import msgspec
import structlog

from hub.core import trace
from hub.core.answers import is_passing
from hub.core.clock import timestamp
from hub.core.dialect import Loss, Wire
from hub.core.errors import Conflict, NotFound, PeerFault, PeerNonsense, PeerRefused, PeerTimeout
from hub.core.forgetting import forget_some
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Json
from hub.core.losses import pointers
from hub.core.ports import Hub
from hub.core.registry import State
from hub.core.types import OcpiModel
from hub.core.units import ABSENT, ANY, Document, Kind, Put, Unit

M = TypeVar("M", bound=OcpiModel)
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})

log = structlog.get_logger()

CALLBACKS: Final = Kind("callbacks", columns=("state",), indexed=("state",))

WAITING: Final = "waiting"
CAME: Final = "came"
TOLD: Final = "told"
LOST: Final = "lost"
_PAUSES_S: Final = (1.0, 2.0, 4.0, 8.0, 16.0)
_ATTEMPTS: Final = 5
_KEPT: Final = timedelta(days=1)
_LARGEST: Final = 64 * 1024


class Expected(msgspec.Struct, frozen=True):
    """A result that is awaited: from whom, for whom, and until when."""

    id: str
    module: str
    about: str
    """In the module's own words, such as the name of the command."""
    asker: str
    """The partner that sent the request."""
    asker_party: str
    version: str
    """That in which the asker is told."""
    response_url: str
    receiver: str
    """The partner that the request went to; the result may come from it alone."""
    receiver_party: str
    until: datetime
    """After this the asker has given up."""
    correlation_id: str
    body: bytes = b""
    """The result as the asker is told it, once it came."""
    subject: str = ""
    """What the request was about, where the result changes what we know of it; in the module's own words."""

    def url(self, hub: Hub, version: str, *path: str) -> str:
        """Where the receiver, which speaks `version`, sends the result: `path` stands between module and id."""
        return "/".join((f"{hub.settings.base_url}/ocpi/{version}/sender/{self.module}", *path, self.id))

    def put(self, state: str = WAITING, *, expect: int = ABSENT) -> Put:
        """The write of it."""
        until = timestamp(self.until)
        return Put(CALLBACKS, self.id, msgspec.json.encode(self), last_updated=until, columns=(state,), expect=expect)


def new_id() -> str:
    """Cannot be guessed: whoever knows it and is the receiver may use it."""
    return str(uuid4())


async def find(hub: Hub, expected_id: str, *, by: str) -> tuple[Expected, Document]:
    """What is awaited under this id from the partner `by`. Raises: NotFound, also when it is another's."""
    document = await hub.store.get(CALLBACKS, expected_id.lower())
    if document is None:
        raise NotFound
    expected = msgspec.json.decode(document.body, type=Expected)
    if expected.receiver != by:
        raise NotFound
    return expected, document


class Told(NamedTuple):
    """A result as its asker is told it, and which fields are not in it."""

    body: bytes
    lost: tuple[str, ...] = ()


async def take(hub: Hub, expected: Expected, document: Document, told: Told, *, also: Unit | None = None) -> bool:
    """Keep the result, and tell the asker.

    Returns: False when it comes too late, or was there before; then nothing happens. `also` is committed with it.
    """
    came = msgspec.structs.replace(expected, body=told.body)
    if not await _kept(hub, expected, document, came, also):
        log.info("result passed over", module=expected.module, about=expected.about, receiver=expected.receiver)
        return False
    hub.losses.note(expected.asker, "out", expected.module, told.lost)
    hub.background.start(_tell(hub, came), name=f"result {expected.id}")
    return True


async def _kept(hub: Hub, expected: Expected, document: Document, came: Expected, also: Unit | None) -> bool:
    """Is it on disk now? A receiver may be so fast that its answer is taken note of (`announced`) at the same time."""
    known: Document | None = document
    for _ in range(_ATTEMPTS):
        if known is None or known.columns["state"] != WAITING or hub.clock.now() > expected.until:
            return False
        unit = Unit(list(also.writes), list(also.changes), list(also.audits)) if also is not None else Unit()
        try:
            await hub.store.commit(unit.put(came.put(CAME, expect=known.version)))
        except Conflict:
            known = await hub.store.get(CALLBACKS, expected.id)
        else:
            return True
    return False


async def announced(hub: Hub, expected: Expected, wait_s: float) -> None:
    """The receiver has answered: within `wait_s` the result comes; 0: none will. One that was faster stands."""
    document = await hub.store.get(CALLBACKS, expected.id)
    if document is None or document.columns["state"] != WAITING:
        return
    until = hub.clock.now() + timedelta(seconds=wait_s)
    put = msgspec.structs.replace(expected, until=until).put(expect=document.version)
    try:
        await hub.store.commit(Unit().put(put))
    except Conflict:
        log.debug("the result was faster than the answer", module=expected.module, about=expected.about)


def as_told(
    expected: Expected, version: str, raw: bytes, tree: Mapping[str, Any], wires: Mapping[str, Wire[M]]
) -> Told:
    """A result that came in `version` as `raw`, in the asker's version; `tree` is the same in our form."""
    if expected.version == version:
        return Told(encode(bare(parse(raw, limit=_LARGEST))))
    written, losses = wires[expected.version].write(tree)
    return Told(encode(written), pointers(losses))


async def recover(hub: Hub) -> None:
    """Tell what came before a stop of ours, and was not told. Called once at each start."""
    for document in await hub.store.select(CALLBACKS, equal={"state": CAME}, limit=100_000):
        expected = msgspec.json.decode(document.body, type=Expected)
        hub.background.start(_tell(hub, expected), name=f"result {expected.id}")


async def forget(hub: Hub) -> None:
    """What is over since a day goes."""
    await forget_some(hub.store, CALLBACKS, timestamp(hub.clock.now() - _KEPT))


async def _tell(hub: Hub, expected: Expected) -> None:
    trace.begin(correlation_id=expected.correlation_id)
    told = await _told(hub, expected)
    await hub.store.commit(Unit().put(expected.put(TOLD if told else LOST, expect=ANY)))
    if not told:
        log.warning("result given up", partner=expected.asker, module=expected.module, about=expected.about)


async def _told(hub: Hub, expected: Expected) -> bool:
    """POST the result until it arrived, or its time is over; at least once."""
    in_doubt = False
    for pause_s in (*_PAUSES_S, None):
        partner = hub.registry.find(expected.asker)
        if partner is None or partner.state is not State.CONNECTED:
            return False
        try:
            await hub.peers.post_to(
                partner, expected.response_url, expected.body, to=expected.asker_party, sender=expected.receiver_party
            )
        except PeerFault as fault:
            arrived = has_arrived(fault, in_doubt=in_doubt)
            if arrived is not None:
                return arrived
            in_doubt = in_doubt or leaves_doubt(fault)
            log.debug("result not delivered yet", partner=expected.asker)
        else:
            return True
        if pause_s is None or hub.clock.now() + timedelta(seconds=pause_s) > expected.until:
            return False
        await hub.clock.sleep(pause_s)
    return False


def has_arrived(fault: PeerFault, *, in_doubt: bool) -> bool | None:
    """Does what came of the POST of a result settle whether it is there? None: it is to be sent again.

    in_doubt: an earlier POST of it left doubt; what is refused now has arrived with that one, and is not awaited twice.
    """
    if isinstance(fault, PeerNonsense) and fault.answered:
        return True
    if isinstance(fault, PeerRefused) and not is_passing(fault.http, fault.status_code):
        return in_doubt
    return None


def leaves_doubt(fault: PeerFault) -> bool:
    """May the result be there, though nothing was answered?"""
    return isinstance(fault, PeerTimeout | PeerNonsense)


class _Posted(Wire[M]):
    """Reads a result also where it comes in an envelope, as some send it (trap T-47)."""

    def __init__(self, wire: Wire[M]) -> None:
        self.__dict__.update(wire.__dict__)  # the same forms and translations

    def read(self, tree: Any, *, given: Mapping[str, Any] = _NOTHING, losses: list[Loss] | None = None) -> M:
        return super().read(bare(tree), given=given, losses=losses)


def posted(wires: Mapping[str, Wire[M]]) -> Mapping[str, Wire[M]]:
    """The wires of a result, as it is read at a `response_url` of ours."""
    return {version: _Posted(wire) for version, wire in wires.items()}


def bare(tree: Json) -> Json:
    """The result itself, if it came in an envelope."""
    if isinstance(tree, dict) and "status_code" in tree and isinstance(tree.get("data"), dict):
        return tree["data"]
    return tree
