"""Every role that a version has can be invited and registers, alone and with others; nothing else does. OCPI Role."""

from __future__ import annotations

from typing import Any, Final

import pytest

from hub.core.parties import Party, PartyRole
from hub.core.registry import Claim, IssuedToken, Partner, State, TokenUse
from tests.world import OURS, Said, World, token

ROLES: Final = {
    "2.1.1": tuple(PartyRole),
    "2.2.1": tuple(role for role in PartyRole if role is not PartyRole.PTP),
    "2.3.0": tuple(role for role in PartyRole if role is not PartyRole.HUB),
}
"""What can be said; 2.1.1 says nothing, so there everybody is what it was invited as."""
HUB, EMSP, CPO = PartyRole.HUB, PartyRole.EMSP, PartyRole.CPO


def entry(role: str, party: str) -> dict[str, Any]:
    country_code, party_id = party.split("*")
    return {"role": role, "country_code": country_code, "party_id": party_id, "business_details": {"name": party}}


def told(version: str, *roles: tuple[str, str], **more: Any) -> dict[str, Any]:
    """A Credentials object."""
    tree = {"token": "theirs", "url": "https://partner.example/versions", **more}
    entries = [entry(role, party) for role, party in roles]
    if version == "2.1.1":
        return tree | {name: value for name, value in entries[0].items() if name != "role"}
    return {**tree, "roles": entries}


async def invited(world: World, *roles: tuple[PartyRole, str], name: str = "r") -> None:
    """Somebody with a token A."""
    world.secrets[name] = f"token-a-of-{name}"
    partner = Partner(
        name=name,
        invited=tuple(Claim(role=role, party=Party.parse(party)) for role, party in roles),
        our_tokens=(
            IssuedToken(fingerprint=world.registry.fingerprint(f"token-a-of-{name}"), use=TokenUse.REGISTRATION),
        ),
    )
    await world.registry.commit(partner, world.registry.unit(partner, new=True))


async def post(world: World, body: dict[str, Any], name: str = "r") -> Said:
    return await world.ask("POST", world.at("credentials"), by=name, body=body)


def claims(world: World, name: str = "r") -> list[tuple[str, str]]:
    return [(claim.role.value, str(claim.party)) for claim in world.partner(name).claims]


async def test_every_role_of_a_version_registers(world: World) -> None:
    for number, role in enumerate(ROLES[world.version]):
        name, party = role.value.lower(), f"NL*R0{number}"
        await invited(world, (role, party), name=name)
        said = await post(world, told(world.version, (role.value, party)), name)
        assert (role, said.http, said.code) == (role, 200, 1000)
        assert claims(world, name) == [(role.value, party)]
        path = world.at("sender/locations")
        assert (await world.ask("GET", path, by=said.data["token"])).http == 200


async def test_one_platform_has_several_roles_and_parties(world: World) -> None:
    roles = [(role, party) for role in ROLES[world.version] if role is not HUB for party in ("NL*RRR", "BE*SSS")]
    await invited(world, *roles)
    assert (await post(world, told(world.version, *[(role.value, party) for role, party in roles]))).code == 1000
    expected = [(role.value, party) for role, party in roles if world.version != "2.1.1" or party == "NL*RRR"]
    assert claims(world) == expected


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
@pytest.mark.parametrize("role", list(PartyRole))
async def test_a_role_that_was_not_agreed_is_refused_whatever_it_is(world: World, role: PartyRole) -> None:
    other = EMSP if role is not EMSP else CPO
    await invited(world, (other, "NL*RRR"))
    async with world.unchanged():
        assert (await post(world, told(world.version, (role.value, "NL*RRR")))).code == 2001
        assert not world.discovery.asked


async def test_nobody_registers_as_us(world: World) -> None:
    await invited(world, (EMSP, str(OURS)))
    async with world.unchanged():
        assert (await post(world, told(world.version, ("EMSP", str(OURS))))).code == 2001


@pytest.mark.parametrize("version", ["2.2.1"])
async def test_a_hub_of_2_2_1_shows_itself_and_what_was_agreed_is_behind_it(world: World) -> None:
    await invited(world, (HUB, "DE*HUB"), (EMSP, "NL*XYZ"))
    said = await post(world, told("2.2.1", ("HUB", "DE*HUB")))
    assert said.code == 1000
    assert claims(world) == [("HUB", "DE*HUB"), ("EMSP", "NL*XYZ")]
    for party, expected in (("NL*XYZ", (201, 1000)), ("NL*EEE", (404, 2000))):
        path = world.at(f"receiver/tokens/{party.replace('*', '/')}/C1")
        put = await world.ask("PUT", path, by=said.data["token"], body=token("2.2.1", party, "C1"))
        assert (put.http, put.code) == expected


@pytest.mark.parametrize("version", ["2.3.0"])
async def test_a_hub_of_2_3_0_is_known_by_its_hub_party_and_those_agreed_on_count(world: World) -> None:
    await invited(world, (HUB, "DE*HUB"), (EMSP, "NL*XYZ"))
    reached = (("EMSP", "NL*XYZ"), ("CPO", "FR*NOT"), ("CPO", str(OURS)))
    assert (await post(world, told("2.3.0", *reached, hub_party_id="DEHUB"))).code == 1000
    assert claims(world) == [("HUB", "DE*HUB"), ("EMSP", "NL*XYZ")]


@pytest.mark.parametrize("version", ["2.3.0"])
async def test_a_platform_with_a_hub_party_is_no_hub_to_us_unless_that_was_agreed(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await invited(world, (EMSP, "NL*XYZ"))
    async with world.unchanged():
        more = told("2.3.0", ("EMSP", "NL*XYZ"), ("CPO", "FR*NOT"), hub_party_id="DEHUB")
        assert (await post(world, more)).code == 2001
    assert (await post(world, told("2.3.0", ("EMSP", "NL*XYZ"), hub_party_id="DEHUB"))).code == 1000
    assert claims(world) == [("EMSP", "NL*XYZ")]
    assert world.partner("r").state is State.CONNECTED
    assert "invited without the role HUB" in capsys.readouterr().out
