"""Partners of another protocol: who speaks to them, and who is told that they are there."""

from __future__ import annotations

import pytest

from hub.core.errors import EndpointsMissing, PeerTimeout, PeerUnreachable
from hub.core.operations import RECEIVER, SENDER
from hub.core.registry import Endpoint, Partner
from partners.interpreted import InterpretedPeers
from tests.world import ScriptedPeers, Sent

OCPI = Partner(name="e1", endpoints=(Endpoint(identifier="tokens", role="SENDER", url="https://e1.example/tokens"),))
OICP = Partner(
    name="dcb", interpreter="oicp", endpoints=(Endpoint(identifier="tokens", role="SENDER", url="oicp:tokens"),)
)


async def test_each_partner_is_spoken_to_in_its_own_protocol() -> None:
    ocpi, oicp = ScriptedPeers(), ScriptedPeers()
    peers = InterpretedPeers(ocpi)
    peers.join("oicp", oicp)
    for partner in (OCPI, OICP):
        await peers.send(partner, "POST", "tokens", SENDER, ("CARD1", "authorize"))
        await peers.post_to(partner, "https://e1.example/results/1", b"{}")
    assert {sent.partner for sent in ocpi.sent} == {"e1"}
    assert {sent.partner for sent in oicp.sent} == {"dcb"}


async def test_what_a_partner_does_not_offer_is_not_asked_of_its_interpreter() -> None:
    oicp = ScriptedPeers()
    peers = InterpretedPeers(ScriptedPeers())
    peers.join("oicp", oicp)
    with pytest.raises(EndpointsMissing):
        await peers.send(OICP, "PUT", "locations", RECEIVER)
    assert oicp.sent == []


async def test_a_partner_that_nobody_speaks_to_cannot_be_reached() -> None:
    with pytest.raises(PeerUnreachable):
        await InterpretedPeers(ScriptedPeers()).send(OICP, "POST", "tokens", SENDER)


async def test_who_answers_is_known_to_be_there() -> None:
    heard: list[str] = []
    doubted: list[str] = []

    def silent(sent: Sent) -> None:
        raise PeerTimeout

    oicp = ScriptedPeers()
    peers = InterpretedPeers(ScriptedPeers())
    peers.join("oicp", oicp)
    peers.answered, peers.doubted = heard.append, doubted.append
    await peers.send(OICP, "POST", "tokens", SENDER)
    oicp.script = silent
    with pytest.raises(PeerTimeout):
        await peers.send(OICP, "POST", "tokens", SENDER)
    assert (heard, doubted) == (["dcb"], ["dcb"])
