"""Relay: a request that expects an answer goes through the hub to the party that can give it, within a deadline.

    caller --request--> hub --new X-Request-ID, same X-Correlation-ID, FROM caller, TO party--> receiver
           <--answer---     <--its answer, in the caller's version----------------------------

Where both ends speak the same version the bytes of the body pass as they came; else they go through our own form, and
what a version cannot say is counted. An OCPI error of the receiver is told as it is (`PassedOn`); where there is no
answer, the caller is told which way there is none: 4002 not in time, 4003 not reachable, 4000 not OCPI, or no such
module there (status_codes, Hub errors). A server that is overloaded, or fails, is not reachable either, whatever OCPI
code stands beside that. What another hub says of a party behind it (4001 to 4003) is told as that hub says it. Nothing
is tried twice: the caller knows best whether it should be; and a receiver that names a time to wait (Retry-After) is
not asked for anything of that module before.

Results that come later, to a `response_url`, are in `callbacks.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import structlog

from hub.core import trace
from hub.core.answers import (
    NOT_CONNECTED,
    PASSING_4XX,
    TIMEOUT,
    UNKNOWN_RECEIVER,
    Answer,
    is_error_of_ocpi,
    is_of_the_party,
    is_passing,
    is_told,
    ok,
)
from hub.core.dialect import VERSIONS, Loss, NotExpressible, Wire
from hub.core.errors import (
    BusbarError,
    EndpointsMissing,
    InvalidRequest,
    PassedOn,
    PeerFault,
    PeerNonsense,
    PeerRefused,
    PeerTimeout,
    PeerUnreachable,
    RoutingLoop,
)
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Json, Tree
from hub.core.losses import pointers
from hub.core.operations import EMSP_LIKE, Side
from hub.core.routing import Receiver, can_have

if TYPE_CHECKING:
    from hub.core.dispatch import Call
    from hub.core.ports import Hub

log = structlog.get_logger()

Wires = Mapping[str, Wire[Any]]

_OF_THE_SERVER: Final = PASSING_4XX | {403, 502, 503, 504}
"""HTTP statuses by which the receiver refuses us, or has no room for us, whatever was asked."""
_NO_ANSWER: Final[Mapping[type[BusbarError], str]] = {
    PeerUnreachable: "the receiver cannot be reached just now",
    PeerTimeout: "the receiver did not answer in time",
    PeerNonsense: "the receiver gave no OCPI answer",
}
"""What the asker is told. Our own words name the receiver's host, which is nobody else's business."""
_NO_SUCH_THING: Final = frozenset({404, 405, 501})
_LONGEST_WAIT_S: Final = 300.0
"""A driver waits at a charger: what is asked for him is tried again after that, whatever the receiver has said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What is asked of the receiver. `body` is in our form; `raw` are the bytes it came in, if they may pass as such.

    `wires` and `answers` are the wire models of the body and of the answer's `data`, by version. `given` is what the
    receiver's answer does not carry in an older version (`Wire.read`), `context` what an older version embeds.
    """

    method: str
    module: str
    side: Side
    path: tuple[str, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    body: Tree | None = None
    raw: bytes | None = None
    wires: Wires | None = None
    answers: Wires | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    deadline_s: float | None = None
    """Default: the setting `relay_timeout_s`."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer of the receiver. `theirs` is its `data` as it came, `tree` the same in our form."""

    http: int
    version: str
    theirs: Json
    tree: Tree | None
    headers: Mapping[str, str]

    def answer(self, call: Call, receiver: Receiver, answers: Wires | None) -> Answer:
        """As the caller is told. Raises: PeerNonsense, where the caller's version cannot say it."""
        call.answered_by(receiver.party)
        if self.tree is None or answers is None or call.version == self.version:
            return ok(self.theirs, created=self.http == 201)
        try:
            written = call.written(answers, self.tree)
        except NotExpressible as fault:
            raise PeerNonsense(f"the answer cannot be said in OCPI {call.version}: {fault.reason}") from None
        return ok(written, created=self.http == 201)


async def relay(call: Call, receiver: Receiver, errand: Errand) -> Reply:
    """Ask `receiver` in the name of `call`'s asker.

    Raises: PassedOn, PeerTimeout, PeerUnreachable, PeerNonsense, RoutingLoop; NotInTheirVersion, where the receiver's
    version has no such request, and InvalidRequest, where it cannot say what is asked.
    """
    hub, partner = call.hub, can_have(call, receiver).partner
    version = partner.version or VERSIONS[-1]
    body, lost = _body(call, version, errand)
    if body is not None and version == VERSIONS[0] and call.operation.callers <= EMSP_LIKE:
        body = await _in_own_words(call, receiver, errand, body)
    if hub.clock.monotonic() < hub.asked_to_wait.get((partner.name, errand.module), 0.0):
        raise PeerUnreachable("the receiver asked for some time without requests")
    with _once(call, receiver):
        try:
            answer = await hub.peers.send(
                partner,
                errand.method,
                errand.module,
                errand.side,
                errand.path,
                body=body,
                query=errand.query or None,
                to=receiver.party,
                sender=call.asker,
                deadline_s=errand.deadline_s or hub.settings.relay_timeout_s,
            )
        except PeerRefused as refused:
            _note_wait(hub, (partner.name, errand.module), refused)
            raise _told(refused, receiver) from None
        except EndpointsMissing:
            raise PeerNonsense("the receiver does not offer this module") from None
        except (PeerUnreachable, PeerTimeout, PeerNonsense) as fault:
            log.info("relay failed", partner=partner.name, module=errand.module, error=fault.message)
            raise _retold(fault) from None
    hub.losses.note(partner.name, "out", call.operation.module, pointers(lost))
    tree, missed = _understood(version, answer.data, errand)
    if version != call.version:
        hub.losses.note(partner.name, "in", call.operation.module, pointers(missed))
    return Reply(answer.http, version, answer.data, tree, answer.headers)


def _body(call: Call, version: str, errand: Errand) -> tuple[bytes | None, Sequence[Loss]]:
    if errand.raw is not None and version == call.version:
        call.missed = ()
        return errand.raw, ()
    if errand.body is None or errand.wires is None:
        return None, ()
    try:
        written, losses = said(errand.wires[version], errand.method, errand.body, errand.context)
    except (NotExpressible, KeyError) as fault:
        why = fault.reason if isinstance(fault, NotExpressible) else "it has no such thing"
        raise InvalidRequest(f"the receiver speaks OCPI {version}: {why}") from None
    return encode(written), losses


def said(
    wire: Wire[Any], method: str, body: Mapping[str, Any], context: Mapping[str, Any]
) -> tuple[Tree, Sequence[Loss]]:
    """Our `body`, of a PATCH a part, in the words of a version, and what it lost. Raises: NotExpressible."""
    write = wire.write_patch if method == "PATCH" else wire.write
    return write(body, context=context)


async def _in_own_words(call: Call, receiver: Receiver, errand: Errand, body: bytes) -> bytes:
    """What an eMSP asks of a CPO of 2.1.1 names things as the CPO does."""
    spots = errand.wires[VERSIONS[0]].spots if errand.wires is not None else None
    if spots is None:
        return body
    tree = parse(body, limit=len(body))
    told = await call.hub.own_ids.told(receiver.party, spots, tree)
    return body if told is tree else encode(told)


def _understood(version: str, data: Json, errand: Errand) -> tuple[Tree | None, Sequence[Loss]]:
    """Raises: PeerNonsense."""
    lost: list[Loss] = []
    if errand.answers is None or data is None:
        return None, lost
    try:
        tree: Tree = errand.answers[version].read(data, given=errand.given, losses=lost).tree()
    except InvalidRequest as fault:
        message = f"the receiver's answer is not valid: {fault.message}"
        raise PeerNonsense(message, answered=True, said=data) from None
    return tree, lost


def _retold(fault: PeerUnreachable | PeerTimeout | PeerNonsense) -> PeerFault:
    message = _NO_ANSWER[type(fault)]
    if isinstance(fault, PeerNonsense):
        return PeerNonsense(message, answered=fault.answered, said=fault.said)
    return type(fault)(message)


def _told(refused: PeerRefused, receiver: Receiver) -> PeerFault:
    """An error of the receiver, as its asker is told."""
    if receiver.partner.is_hub and is_of_the_party(refused.http, refused.status_code):
        return _of_its_hub(refused)
    if refused.status_code is not None and is_told(refused.status_code) and not _is_trouble(refused):
        http = refused.http if refused.http == 404 else 200
        return PassedOn(refused.message, http=http, status_code=refused.status_code, by=receiver.party)
    if refused.http in _NO_SUCH_THING:
        return PeerNonsense("the receiver has no such interface")
    if 200 <= refused.http < 300:
        return PeerNonsense(refused.message, answered=not is_error_of_ocpi(refused.status_code))
    return PeerUnreachable(f"the receiver answered with HTTP {refused.http}")


def _of_its_hub(refused: PeerRefused) -> PeerFault:
    """What a hub says of a party behind it, as we say it of parties here: it means the same to whoever asked."""
    if refused.status_code == TIMEOUT:
        return PeerTimeout(refused.message)
    if refused.status_code == NOT_CONNECTED:
        return PeerUnreachable(refused.message)
    return PassedOn(refused.message, http=200, status_code=UNKNOWN_RECEIVER, by="")


def _is_trouble(refused: PeerRefused) -> bool:
    """Is it the server that fails, and no word on what was asked? A 3xxx beside HTTP 500 says how it fails."""
    says_how = is_passing(200, refused.status_code)
    return refused.http in _OF_THE_SERVER or (is_passing(refused.http, None) and not says_how)


def _note_wait(hub: Hub, at: tuple[str, str], refused: PeerRefused) -> None:
    """What is overloaded is left alone as long as it asks for it."""
    if refused.retry_after_s and refused.http in _OF_THE_SERVER:
        hub.asked_to_wait[at] = hub.clock.monotonic() + min(refused.retry_after_s, _LONGEST_WAIT_S)


@contextmanager
def _once(call: Call, receiver: Receiver) -> Iterator[None]:
    """A hub behind us may send a request back to us: then it is not sent round once more. Raises: RoutingLoop."""
    at = (trace.correlation(), call.operation.method, call.path, call.asker, receiver.party)
    if at in call.hub.relaying:
        raise RoutingLoop
    call.hub.relaying.add(at)
    try:
        yield
    finally:
        call.hub.relaying.discard(at)
