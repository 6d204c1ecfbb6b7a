"""Requests to partners: which headers go along, and what each outcome says of the partner."""

from __future__ import annotations

import contextlib
from typing import Any, cast

import pytest

from hub.core.errors import PeerFault, PeerNonsense, PeerRefused, PeerTimeout, PeerUnreachable
from hub.core.inbound import encode
from hub.core.operations import RECEIVER, SENDER
from hub.core.outbound import Outbound, OutboundAnswer
from hub.core.parties import Party, PartyRole
from hub.core.registry import Claim, Endpoint, Partner
from hub.core.secrets import Keys, Seal
from hub.core.settings import Settings
from partners.ocpi.peer import OcpiPeers, understood

LIST = "https://p.example/clients"
SEAL = Seal(Keys.from_secret(b"x" * 32).seal)
PARTNER = Partner(
    name="p",
    claims=(Claim(role=PartyRole.CPO, party=Party("NL", "PPP")),),
    version="2.2.1",
    endpoints=(
        Endpoint(identifier="hubclientinfo", role="SENDER", url=LIST),
        Endpoint(identifier="tokens", role="RECEIVER", url="https://p.example/tokens"),
    ),
    their_token=SEAL.seal("theirs"),
)


class Recorder:
    """The way out: notes the headers, and answers as it is told."""

    page_cap = 1_000

    def __init__(self, outcome: OutboundAnswer | PeerFault) -> None:
        self.outcome = outcome
        self.headers: list[dict[str, str]] = []

    async def request(self, method: str, url: str, *, headers: dict[str, str], **rest: Any) -> OutboundAnswer:
        self.headers.append(headers)
        if isinstance(self.outcome, PeerFault):
            raise self.outcome
        return self.outcome


def answered(http: int, code: int | None) -> OutboundAnswer:
    return OutboundAnswer(http, {}, b"<html>" if code is None else encode({"status_code": code, "data": []}))


def peers(outcome: OutboundAnswer | PeerFault) -> tuple[OcpiPeers, Recorder]:
    recorder = Recorder(outcome)
    unrouted = frozenset({"hubclientinfo", "credentials"})
    return OcpiPeers(cast("Outbound", recorder), SEAL, Settings(_env_file=None), unrouted), recorder


def routing(headers: dict[str, str]) -> set[str]:
    return {name for name in headers if name.startswith("OCPI-")}


async def test_client_infos_carry_no_routing_headers_on_any_page_and_all_else_does() -> None:
    """OCPI transport_and_format, Message Routing: never with HubClientInfo."""
    sent, recorder = peers(answered(200, 1000))
    await sent.send(PARTNER, "GET", "hubclientinfo", SENDER)
    await sent.get(PARTNER, f"{LIST}?offset=50")
    await sent.send(PARTNER, "GET", "tokens", RECEIVER)
    await sent.get(PARTNER, "https://p.example/tokens?offset=50")
    assert [len(routing(headers)) for headers in recorder.headers] == [0, 0, 4, 4]


@pytest.mark.parametrize(
    ("outcome", "is_there"),
    [
        (answered(200, 1000), True),
        (answered(200, 2001), True),
        (answered(200, 3000), True),
        (answered(404, 2003), True),
        (answered(500, 3000), True),
        (answered(401, 2000), False),
        (answered(503, None), False),
        (answered(200, None), False),
        (PeerTimeout("late"), False),
        (PeerUnreachable("nobody"), False),
    ],
)
async def test_an_answer_of_its_own_shows_that_a_partner_is_there_and_all_else_leaves_doubt(
    outcome: OutboundAnswer | PeerFault, is_there: bool
) -> None:
    sent, _ = peers(outcome)
    there: list[str] = []
    doubts: list[str] = []
    sent.answered, sent.doubted = there.append, doubts.append
    with contextlib.suppress(PeerFault):
        await sent.send(PARTNER, "PUT", "tokens", RECEIVER, body=b"{}")
    assert (there, doubts) == ((["p"], []) if is_there else ([], ["p"]))


@pytest.mark.parametrize(
    ("body", "said"), [(b"<html>", None), (b'{"data":{"allowed":"BLOCKED"}}', {"allowed": "BLOCKED"})]
)
def test_a_success_that_is_no_envelope_was_said_all_the_same(body: bytes, said: Any) -> None:
    with pytest.raises(PeerNonsense) as caught:
        understood(OutboundAnswer(200, {}, body))
    assert (caught.value.answered, caught.value.said) == (True, said)
    with pytest.raises(PeerRefused):
        understood(OutboundAnswer(500, {}, body))
