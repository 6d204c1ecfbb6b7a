"""New tokens on both sides: what holds when the partner agrees, refuses, or is not heard of again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.app import Program
from hub.core.errors import BusbarError, PeerFault, PeerRefused, RegistrationState
from hub.core.parties import Party, PartyRole
from hub.core.registry import Claim, State, TokenUse
from partners.ocpi.handshake import connect
from partners.ocpi.rotation import part, rotate
from tests.partners.ocpi.test_handshake import DETAILS, LIST, THEIRS, Scripted, envelope
from tests.world import a_program

CLAIM = Claim(role=PartyRole.EMSP, party=Party("NL", "EEE"))
GOOD = {"versions": (200, LIST), "details": (200, DETAILS), "credentials": (200, envelope(THEIRS))}
NEW: dict[str, Any] = {**THEIRS, "token": "newer"}


@pytest.fixture
async def program(sqlite_url: str) -> AsyncIterator[Program]:
    async with a_program(sqlite_url) as program:
        yield program


@pytest.fixture
async def partner(program: Program) -> AsyncIterator[Scripted]:
    """One that is connected as `eee`."""
    async with Scripted(**GOOD).up() as scripted:
        await connect(
            program.hub, program.handshake, program.seal, "eee", (CLAIM,), versions_url=scripted.url, token="a"
        )
        yield scripted


async def rotated(program: Program, **given: Any) -> None:
    await rotate(program.hub, program.handshake, program.seal, "eee", **given)


def uses(program: Program) -> list[TokenUse]:
    return [token.use for token in program.hub.registry.get("eee").our_tokens]


def their_token(program: Program) -> str:
    return program.seal.open(program.hub.registry.get("eee").their_token)


async def test_both_sides_have_new_tokens_and_ours_of_before_works_for_a_while(
    program: Program, partner: Scripted
) -> None:
    (before,) = program.hub.registry.get("eee").our_tokens
    partner.answers["credentials"] = (200, envelope(NEW))
    await rotated(program)
    new, old = program.hub.registry.get("eee").our_tokens
    assert (new.use, new.until) == (TokenUse.LIVE, None)
    assert (old.use, old.fingerprint) == (TokenUse.OVERLAP, before.fingerprint)
    assert old.until is not None
    assert their_token(program) == "newer"
    assert "PUT credentials" in partner.asked


async def test_a_token_that_was_replaced_keeps_its_end_when_the_next_one_is(
    program: Program, partner: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner.answers["credentials"] = (200, envelope(NEW))
    await rotated(program)
    first = program.hub.registry.get("eee").our_tokens[1]
    later = datetime.now(UTC) + timedelta(minutes=5)
    monkeypatch.setattr(type(program.hub.clock), "now", lambda _: later)
    await rotated(program)
    _, second, still = program.hub.registry.get("eee").our_tokens
    assert (still.fingerprint, still.until) == (first.fingerprint, first.until)
    assert first.until is not None
    assert second.until is not None
    assert second.until > first.until


async def test_a_refusal_changes_nothing(program: Program, partner: Scripted) -> None:
    before = program.hub.registry.get("eee")
    for answer in ((405, envelope(None, 2000)), (200, envelope(None, 2001))):
        partner.answers["credentials"] = answer
        with pytest.raises(PeerRefused):
            await rotated(program)
        assert program.hub.registry.get("eee") == before


async def test_a_lost_answer_leaves_both_our_tokens_good(program: Program, partner: Scripted) -> None:
    for answer in ((200, "half an ans"), (502, ""), (200, envelope({**NEW, "token": ""}))):
        partner.answers["credentials"] = answer
        with pytest.raises(BusbarError):
            await rotated(program)
    assert uses(program) == [TokenUse.LIVE] * 4
    assert their_token(program) == "theirs"
    partner.answers["credentials"] = (200, envelope(NEW))
    await rotated(program)
    assert uses(program) == [TokenUse.LIVE, *[TokenUse.OVERLAP] * 4]


async def test_a_partner_that_cannot_be_looked_up_is_not_asked(program: Program, partner: Scripted) -> None:
    asked = len(partner.asked)
    partner.answers["details"] = (500, "")
    with pytest.raises(PeerFault):
        await rotated(program)
    assert "PUT credentials" not in partner.asked[asked:]
    assert uses(program) == [TokenUse.LIVE]


async def test_a_role_that_was_not_agreed_is_not_taken_on(program: Program, partner: Scripted) -> None:
    more = {**NEW, "roles": [*NEW["roles"], {**NEW["roles"][0], "role": "CPO"}]}
    partner.answers["credentials"] = (200, envelope(more))
    await rotated(program)
    assert program.hub.registry.get("eee").roles == {PartyRole.EMSP}
    assert their_token(program) == "newer"


async def test_a_version_that_the_partner_has_not_is_told(program: Program, partner: Scripted) -> None:
    with pytest.raises(PeerFault):
        await rotated(program, version="2.3.0")
    assert program.hub.registry.get("eee").version == "2.2.1"


async def test_only_a_connected_partner_rotates(program: Program, partner: Scripted) -> None:
    def blocked(found: Any) -> Any:
        return found.model_copy(update={"state": State.BLOCKED})

    await program.hub.registry.change("eee", blocked)
    with pytest.raises(RegistrationState):
        await rotated(program)


async def test_a_farewell_is_a_delete_with_their_token(program: Program, partner: Scripted) -> None:
    partner.answers["credentials"] = (200, envelope(None))
    await part(program.handshake, program.seal, program.hub.registry.get("eee"))
    farewell = partner.asked.index("DELETE credentials")
    assert partner.tokens[farewell] == "Token dGhlaXJz"
