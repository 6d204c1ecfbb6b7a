"""One connection with a partner that speaks OICP, and the partner that the registry makes of it.

To the registry such a partner is one of the newest OCPI version whose interpreter is `oicp`: its ids are its parties,
its endpoints have the scheme `oicp:`.

Of a hub, its ids are *ours* there: as which operators and providers we take part in it. The parties behind it are
learned as they come to light, and then are claims of that partner.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from hub.core.dialect import VERSIONS
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.operations import LARGE
from hub.core.parties import Party, PartyRole
from hub.core.registry import Claim, Endpoint, Partner, State
from partners.oicp.ids import OperatorID, OperatorStyle, ProviderID, ProviderStyle
from partners.oicp.operations import Operation, PartnerKind

INTERPRETER: Final = "oicp"

_TO_A_CPO: Final = (("commands", "RECEIVER"), ("tokens", "RECEIVER"))
_TO_AN_EMP: Final = (
    *(("locations", "RECEIVER"), ("tariffs", "RECEIVER"), ("sessions", "RECEIVER"), ("cdrs", "RECEIVER")),
    ("tokens", "SENDER"),
)
_OFFERED: Final[Mapping[PartnerKind, tuple[tuple[str, str], ...]]] = {
    "cpo": _TO_A_CPO,
    "emp": _TO_AN_EMP,
    "hub": (*_TO_A_CPO, *_TO_AN_EMP),
}
"""Which interfaces of OCPI can be said to a partner of a kind in OICP."""


class Connection(BaseModel):
    """One connection."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    partner: str
    kind: PartnerKind
    """What the other end is."""
    party: str = ""
    """Of a hub: the party under which agreements name it (`DE*HBJ`)."""
    base_url: str = ""
    """What the paths of the operations are appended to; "": it serves nothing, and only asks."""
    operator_ids: tuple[str, ...] = ()
    """Of a CPO: its own. Of a hub: ours, as a CPO there."""
    provider_ids: tuple[str, ...] = ()
    """Of an EMP: its own. Of a hub: ours, as an EMP there."""
    fingerprints: tuple[str, ...] = ()
    """SHA-256 of the client certificates that it presents, in hexadecimal."""
    presented: tuple[str, ...] = ()
    """Those of them that we have whole, in PEM: they are trusted whoever issued them, and are watched for their end."""
    client_certificate: str = ""
    """The name of the certificate that we present (`certificates.py`); "": none."""
    server_ca: str = ""
    """PEM: who may have issued its server's certificate; "": the authorities that this machine trusts."""
    operator_style: OperatorStyle = "DE*ABC"
    provider_style: ProviderStyle = "DE-DCB"
    countries: dict[str, str] = {}
    """Calling code, or operator, of DIN SPEC 91286 -> country, where the code does not tell."""
    terms: dict[str, Any] = {}
    """How objects are translated for it, see `mapping.Terms`."""
    prices: tuple[str, ...] = ()
    """Tariffs of OCPI, in our form, each as JSON: what its charges cost where no price was told for the EVSE."""
    limits: dict[str, int] = {}
    """Operation -> how often a minute, where it is another number than OICP's."""
    leaves_cards: bool = False
    """Of a hub: does it say in our place who of our drivers may charge (offline EMP)?"""
    pushes_prices: bool = False
    """Of a hub: are our tariffs told there, as far as OICP says them exactly?"""
    pulls_prices: bool = False
    """Of a hub: are the prices of operators there taken as tariffs?"""
    push_size: int = 2_000
    """Of a hub: how many EVSEs are pushed at once."""
    data_every_s: int = 86_400
    """Of a hub: how often EVSEs are pulled, seconds; what changed since."""
    status_every_s: int = 120
    """Of a hub: how often their status is pulled, seconds."""
    learns: bool = False
    """May parties that come to light behind it become its claims?"""

    @property
    def ids(self) -> tuple[str, ...]:
        """Who the other end is; of a hub, who we are there."""
        return self.operator_ids + self.provider_ids

    def tariffs(self) -> list[Tree]:
        """Its `prices`."""
        return [parse(each.encode(), limit=LARGE) for each in self.prices]

    def limit_per_min(self, operation: Operation) -> int:
        """How often a minute `operation` may be asked, in either direction; 0: not limited by itself."""
        return self.limits.get(operation.name, operation.limit_per_min)


def claims_of(connection: Connection) -> tuple[Claim, ...]:
    """The roles that a partner has by its connection. Raises: InvalidRequest, for an id that is none."""
    if connection.kind == "hub":
        return (Claim(role=PartyRole.HUB, party=Party.parse(connection.party)),)
    if connection.kind == "cpo":
        operators = (OperatorID.parse(text).party(connection.countries) for text in connection.operator_ids)
        return tuple(Claim(role=PartyRole.CPO, party=party) for party in dict.fromkeys(operators))
    providers = (ProviderID.parse(text).party() for text in connection.provider_ids)
    return tuple(Claim(role=PartyRole.EMSP, party=party) for party in dict.fromkeys(providers))


def joined(partner: Partner, connection: Connection, claims: tuple[Claim, ...]) -> Partner:
    """As the registry knows it: of the newest version, at addresses that only our interpreter understands."""
    endpoints = tuple(
        Endpoint(identifier=module, role=side, url=f"{INTERPRETER}:{module}")
        for module, side in _OFFERED[connection.kind]
    )
    state = partner.state if partner.state is State.BLOCKED else State.CONNECTED
    return partner.model_copy(
        update={
            "state": state,
            "version": VERSIONS[-1],
            "interpreter": INTERPRETER,
            "invited": claims,
            "claims": claims,
            "endpoints": endpoints,
        }
    )
