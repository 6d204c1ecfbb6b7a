"""The hub as a target: the program as `busbar serve` runs it, with data of its own in a new SQLite file.

Options: `directory` for the database, `locations` of ours to begin with, `token` that a partner presents, `receivers`:
ports of partners that listen, `stations` that may connect (then the port is theirs), `card` that may charge there,
`cpo_token` that a CPO presents, `cpo_port` where it takes commands, `paced`: chargers may send as much as elsewhere.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import repull, samples
from bench.chargers import identity_of
from bench.child import free_port, run
from hub.app import Program
from hub.core import log
from hub.core.delivery import lane_from_now_on
from hub.core.inbound import parse
from hub.core.parties import Party, PartyRole
from hub.core.registry import Claim, Endpoint, IssuedToken, Partner, State, TokenUse
from hub.core.settings import Settings
from hub.core.units import Unit
from hub.server import Server
from modules.locations import service as locations
from modules.tokens import service as tokens
from modules.tokens.wire import TOKEN
from partners.ocpp.register import EvseEntry, Station, put_of

MOST = 1_000_000
"""Limits are on, and out of the way."""
_FRAMES = ("ocpp_frames_per_s", "ocpp_frames_burst")


class BenchHub:
    """See `child.Service`."""

    def __init__(self, program: Program, server: Server, port: int) -> None:
        self.port = port
        self._program = program
        self._server = server
        self._statuses: dict[int, str] = {}

    async def do(self, command: dict[str, Any]) -> dict[str, Any]:
        """`statuses`: change the status of one EVSE in that many locations; back when all partners have all of it.

        `change`: the same in the locations of these numbers, waiting for nobody. `pull`: see `bench.repull`.
        """
        if "pull" in command:
            return await repull.measure(self._program.hub, command["pull"])
        if "change" in command:
            await asyncio.gather(*map(self._change, command["change"]))
            return {}
        partners = self._program.hub.registry.connected()
        lanes = [lane for lane in (self._program.lanes.find(partner.name) for partner in partners) if lane is not None]
        due = sum(lane.state.delivered for lane in lanes) + command["statuses"] * len(lanes)
        await asyncio.gather(*(self._change(number) for number in range(command["statuses"])))
        while sum(lane.state.delivered for lane in lanes) < due:  # noqa: ASYNC110 - lanes tell nobody
            await asyncio.sleep(0.002)
        return {"delivered": due}

    async def stop(self) -> None:
        await self._server.stop()

    async def _change(self, number: int) -> None:
        status = "AVAILABLE" if self._statuses.get(number) == "CHARGING" else "CHARGING"
        self._statuses[number] = status
        evse_uid = samples.location(number)["evses"][0]["uid"]
        key = f"{samples.OWNER}/LOC{number:05d}"
        await locations.set_status(self._program.store, key, evse_uid, status, now=datetime.now(UTC))


async def start(options: dict[str, Any]) -> BenchHub:
    """Open, fill, serve."""
    settings = _settings(options)
    program = await Program.open(settings)
    stations = options.get("stations", 0)
    await _fill(program, options.get("locations", -(-stations // samples.EVSES_A_LOCATION)))
    await _register(program, stations)
    if "card" in options:
        await _give_out(program, options["card"])
    if "token" in options:
        await _add(program, _caller(program, options["token"]))
    if "cpo_token" in options:
        await _add(program, _cpo(program, options["cpo_token"], options.get("cpo_port", 0)))
    for number, port in enumerate(options.get("receivers", ())):
        await _add(program, _receiver(program, number, port))
    server = Server(program)
    await server.start()
    return BenchHub(program, server, program.gateway.port if "stations" in options else settings.port)


def _settings(options: dict[str, Any]) -> Settings:
    made = Settings(
        database_url=f"sqlite:///{Path(options['directory'], 'hub.db')}",
        port=free_port(),
        ocpp_port=0,
        dev=True,
        rate_per_partner=MOST,
        burst_per_partner=MOST,
        ocpp_settle_s=3600,
    )
    return made if options.get("paced") else made.model_copy(update=dict.fromkeys(_FRAMES, MOST))


async def _fill(program: Program, how_many: int) -> None:
    owner, now = Party.parse(samples.OWNER), datetime.now(UTC)
    for first in range(0, how_many, 64):
        numbers = range(first, min(first + 64, how_many))
        await asyncio.gather(
            *(
                locations.put(program.store, owner, f"LOC{number:05d}", samples.location(number), now=now)
                for number in numbers
            )
        )


async def _register(program: Program, how_many: int) -> None:
    """Stations of one EVSE each, at the first locations, that need no password."""
    unit = Unit()
    for number in range(how_many):
        place, at = divmod(number, samples.EVSES_A_LOCATION)
        key = f"{samples.OWNER}/LOC{place:05d}"
        evses = {"1": EvseEntry(evse_uid=samples.location(place)["evses"][at]["uid"], connectors={"1": "1"})}
        unit.put(put_of(Station(identity_of(number), location=key, evses=evses, security_profile=0)))
    if how_many:
        await program.store.commit(unit)


async def _give_out(program: Program, card: str) -> None:
    """A token of PARTY that may charge without a question."""
    tree = parse(samples.token(0, 0), limit=10_000)
    token = TOKEN["2.2.1"].read({**tree, "uid": card, "whitelist": "ALWAYS"})
    await tokens.put(program.store, Party.parse(samples.PARTY), card, token, now=datetime.now(UTC))
    await _add(program, _caller(program, "bb_" + "c" * 43))


async def _add(program: Program, partner: Partner) -> None:
    unit = program.hub.registry.unit(partner, new=True)
    unit.put(await lane_from_now_on(program.store, partner.name))
    await program.hub.registry.commit(partner, unit)


def _claim(party: str) -> Sequence[Claim]:
    return (Claim(role=PartyRole.EMSP, party=Party.parse(party)),)


def _caller(program: Program, token: str) -> Partner:
    """A partner that calls us, and is told nothing."""
    return Partner(
        name="caller",
        state=State.CONNECTED,
        version="2.2.1",
        versions_url="https://emsp.example.com/ocpi/versions",
        claims=tuple(_claim(samples.PARTY)),
        our_tokens=(IssuedToken(fingerprint=program.hub.registry.fingerprint(token), use=TokenUse.LIVE),),
    )


def _cpo(program: Program, token: str, port: int) -> Partner:
    """A CPO that calls us, and takes commands on that port, if there is one."""
    commands = Endpoint(identifier="commands", role="RECEIVER", url=f"http://127.0.0.1:{port}/commands")
    return Partner(
        name="cpo",
        state=State.CONNECTED,
        version="2.2.1",
        claims=(Claim(role=PartyRole.CPO, party=Party.parse("BE*CPO")),),
        endpoints=(
            Endpoint(identifier="locations", role="SENDER", url="http://127.0.0.1/locations"),
            *((commands,) if port else ()),
        ),
        their_token=program.hub.registry.sealed("bb_" + "p" * 43) if port else "",
        our_tokens=(IssuedToken(fingerprint=program.hub.registry.fingerprint(token), use=TokenUse.LIVE),),
    )


VERSIONS_MET = ("2.2.1", "2.1.1", "2.3.0")


def _receiver(program: Program, number: int, port: int) -> Partner:
    """A partner that is told of locations; the three versions take turns."""
    version = VERSIONS_MET[number % len(VERSIONS_MET)]
    url = f"http://127.0.0.1:{port}/ocpi/emsp/{version}/locations"
    return Partner(
        name=f"receiver{number}",
        state=State.CONNECTED,
        version=version,
        claims=tuple(_claim(f"NL*R{number:02d}")),
        endpoints=(Endpoint(identifier="locations", role="" if version == "2.1.1" else "RECEIVER", url=url),),
        their_token=program.hub.registry.sealed("bb_" + "r" * 43),
    )


if __name__ == "__main__":
    with Path(os.devnull).open("w") as nowhere:
        log.set_up(level="INFO", dev=False, salt=b"bench", stream=nowhere)  # written as always, and not read
        run(start)
