"""Where a request goes: to us, to all who are entitled, or to one party. OCPI transport_and_format, Message Routing.

    OCPI-to                      data meant for everybody            anything else
    left out (open routing)      everybody                           the owner of what it is about
    the hub                      everybody (Broadcast Push)          the owner of what it is about
    our own party                us                                  us
    another party                that party alone                    that party

The hub is our own party where no other is set. Partners of 2.1.1 have no such headers: theirs is always open routing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from hub.core.errors import InvalidRequest, NotInTheirVersion, PeerUnreachable, UnknownReceiver
from hub.core.operations import ANYBODY, SENDER, Operation
from hub.core.parties import Party, PartyRole
from hub.core.registry import Partner, Registry, State

if TYPE_CHECKING:
    from hub.core.dispatch import Call
    from hub.core.ports import Hub


class Here(Enum):
    """We do it ourselves."""

    OURS = "ours"
    """It is about our own party, or for it."""
    EVERYBODY = "everybody"
    """It is for all that are entitled."""


OURS: Final = Here.OURS
EVERYBODY: Final = Here.EVERYBODY


@dataclass(frozen=True, slots=True)
class Receiver:
    """A party of a partner, which may be reached."""

    partner: Partner
    party: str


Destination = Literal[Here.OURS, Here.EVERYBODY] | Receiver


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What decides where a request goes."""

    sender: Partner
    asker: str
    """The party in whose name it asks."""
    to: str
    """The party of OCPI-to; "": left to us."""
    module: str
    owner: str = ""
    """The party that it is about, where that is known; "": ours to answer."""
    shared: bool = False
    """It carries, or asks for, data meant for everybody."""
    brought: bool = False
    """It brings the receiver an object of `owner`, so the receiver must be one that may have it."""
    of_all: bool = True
    """It may be asked of everybody: all but the GET of one object of a sender."""
    roles: frozenset[PartyRole] = ANYBODY
    """Those in which the receiver is wanted."""


def destination(
    call: Call,
    *,
    owner: str = "",
    shared: bool = False,
    brought: bool = False,
    roles: frozenset[PartyRole] = ANYBODY,
) -> Destination:
    """Where `call` goes; see `Message`. Raises: as `decide`."""
    message = Message(
        sender=call.partner,
        asker=call.asker,
        to=call.to,
        module=call.operation.module,
        owner=owner,
        shared=shared,
        brought=brought,
        of_all=_is_of_all(call.operation),
        roles=roles,
    )
    return decide(call.hub, message)


def decide(hub: Hub, message: Message) -> Destination:
    """Where a message goes.

    Raises: InvalidRequest, for a GET of one object from everybody; UnknownReceiver, PeerUnreachable.
    """
    to, settings = message.to, hub.settings
    if to and to not in settings.own_parties:
        return _receiver(hub, message, to)
    if to == settings.hub != settings.party and not message.of_all:
        raise InvalidRequest("a GET of one object is sent to its owner, or without OCPI-to headers; not to the hub")
    if to == settings.party != settings.hub:
        return OURS
    if message.shared:
        return EVERYBODY
    if message.owner in ("", *settings.own_parties):
        return OURS
    return _receiver(hub, message, message.owner)


def _receiver(hub: Hub, message: Message, party: str) -> Receiver:
    sender, module, roles = message.sender, message.module, message.roles
    if message.brought:
        return receiver(hub, sender, party, module, roles, behind=message.owner, brings=message.owner)
    return receiver(hub, sender, party, module, roles, behind=message.asker)


def audience_of(hub: Hub, goes: Destination) -> str:
    """The only party that may have an object which goes there; "": all that are entitled."""
    if isinstance(goes, Receiver):
        return goes.party
    return "" if goes is EVERYBODY else hub.settings.party


def _is_of_all(operation: Operation) -> bool:
    """All but the GET of one object of a sender: GET ALL, Broadcast Push, and what a client asks of its own."""
    return operation.method != "GET" or operation.side is not SENDER or operation.listed


def receiver(
    hub: Hub,
    sender: Partner,
    party: str,
    module: str,
    roles: frozenset[PartyRole] = ANYBODY,
    *,
    behind: str = "",
    brings: str = "",
) -> Receiver:
    """The partner that speaks for `party` in one of `roles`, if requests of `sender`, as `behind`, may go there.

    What `brings` an object, of that owner, goes where its receiver may have it, as in a broadcast and in lists.
    Raises: UnknownReceiver, also where no agreement lets it through: who may not reach a party learns nothing of it;
    PeerUnreachable, where the party is known and not connected, here or to the hub that speaks for it.
    """
    partner = hub.registry.holder_of(Party.parse(party), roles, behind=behind)
    if partner is None:
        partner = known_receiver(hub.registry, party, roles, behind=behind)
        if partner.state is not State.CONNECTED:
            raise PeerUnreachable("the receiver is not connected")
        raise UnknownReceiver
    agreements = hub.agreements
    verdict = agreements.may(partner, brings, module) if brings else agreements.reach(sender, party, module)
    if partner.name == sender.name or not verdict.allowed:
        raise UnknownReceiver
    if hub.behind.is_cut_off(partner.name, party, roles):
        raise PeerUnreachable("the receiver is not connected to its hub")
    return Receiver(partner, party)


def known_receiver(
    registry: Registry, party: str, roles: frozenset[PartyRole] = ANYBODY, *, behind: str = ""
) -> Partner:
    """A partner that has this party, connected or not; see `Registry.find_party`. Raises: UnknownReceiver."""
    partner = registry.find_party(Party.parse(party), roles, behind=behind)
    if partner is None:
        raise UnknownReceiver
    return partner


def can_have(call: Call, receiver: Receiver) -> Receiver:
    """`receiver`, if its version of OCPI has what is asked or brought. Raises: NotInTheirVersion."""
    if receiver.partner.version is not None and receiver.partner.version not in call.operation.versions:
        raise NotInTheirVersion(f"the receiver speaks OCPI {receiver.partner.version}, which has no such thing")
    return receiver
