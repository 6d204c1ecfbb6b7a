"""The command line: `python -m partners.sandbox` with `emsp`, `cpo`, `charger`, or what OICP has instead.

All print JSON lines and end on SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import ssl
import sys
from pathlib import Path
from typing import Any, Final

from partners.sandbox.admin import FAILURES
from partners.sandbox.cpo import Cpo
from partners.sandbox.emsp import Emsp
from partners.sandbox.fleet import Script, places, run_fleet
from partners.sandbox.modes import MODES
from partners.sandbox.oicp import command as oicp
from partners.sandbox.point.faults import Faults
from partners.sandbox.point.link import Security
from partners.sandbox.wire import RULES

_FIRMWARE: Final = "A firmware is any file; a first line `version: 2.0.0` in it is the version that it boots with then."


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m partners.sandbox", description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    for kind, party, what in (
        ("emsp", "NL*EEE", "a roaming partner that sells charging"),
        ("cpo", "BE*AAA", "a roaming partner that has chargers"),
    ):
        partner = kinds.add_parser(kind, help=what)
        partner.add_argument("--version", choices=sorted(RULES), default="2.2.1")
        partner.add_argument("--party", default=party)
        partner.add_argument("--port", type=int, default=0, help="0 takes a free one")
        partner.add_argument("--mode", choices=sorted(MODES), default="happy")
        partner.add_argument("--seed", type=int, default=0, help="of the modes' dice")
        partner.add_argument("--receipts", type=Path, help="file of the receipt log")
        partner.add_argument("--hub", help="versions URL of a hub to register with at once")
        partner.add_argument("--token", help="the invitation's token")
    oicp.add_kinds(kinds)
    charger = kinds.add_parser("charger", help="one or more OCPP charge points", epilog=_FIRMWARE)
    charger.add_argument("--ocpp", choices=("1.6", "2.0.1", "2.1"), default="1.6", help="the version it speaks")
    charger.add_argument("--url", required=True, help="ws://host:port/IDENTITY, or the part before it")
    charger.add_argument("--identity", help="when the URL does not end in it; a prefix with --count")
    charger.add_argument("--count", type=int, default=1)
    charger.add_argument("--connectors", type=int, default=1)
    charger.add_argument("--tag", help="card to charge with; without one it waits to be started remotely")
    charger.add_argument("--kwh", type=float, default=10.0)
    charger.add_argument("--minutes", type=float, default=30.0, help="of the charge point's clock")
    charger.add_argument("--speed", type=float, default=1.0, help="how many times faster its clock runs")
    charger.add_argument("--rounds", type=int, default=1)
    charger.add_argument("--stay", action="store_true", help="stay and take remote starts")
    charger.add_argument("--password", help="security profile 1 or 2")
    charger.add_argument("--ca", type=Path, help="root certificate, for wss (profile 2 and 3)")
    charger.add_argument("--certificate", type=Path, help="client certificate (profile 3)")
    charger.add_argument("--key", type=Path, help="its private key")
    charger.add_argument("--fault", action="append", default=[], help="duplicate-start, clock-1970, ...")
    return parser


def _tell(event: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


async def _partner(given: argparse.Namespace) -> int:
    try:
        partner = (Cpo if given.kind == "cpo" else Emsp)(
            given.version, given.party, port=given.port, mode=given.mode, seed=given.seed, receipts=given.receipts
        )
    except (ValueError, OSError) as error:
        _tell({"error": f"{type(error).__name__}: {error}"})
        return 1
    async with partner:
        try:
            if given.hub and partner.registration is None:
                await partner.register(given.hub, given.token or "")
        except FAILURES as error:
            _tell({"error": f"{type(error).__name__}: {error}"})
            return 1
        state = partner.state()
        shown = ("url", "versions_url", "version", "party", "mode", "registered")
        _tell({name: state[name] for name in shown})
        await asyncio.Event().wait()
    return 0


async def _charger(given: argparse.Namespace) -> int:
    script = Script(given.tag, given.kwh, given.minutes, given.rounds, given.stay or given.tag is None)
    await run_fleet(
        places(given.url, given.count, given.identity),
        script,
        _tell,
        speed=given.speed,
        connectors=given.connectors,
        security=_security(given),
        faults=Faults.named(given.fault),
        version=given.ocpp,
    )
    return 0


def _security(given: argparse.Namespace) -> Security:
    if not given.url.startswith("wss:"):
        return Security(given.password)
    tls = ssl.create_default_context(cafile=given.ca)
    if given.certificate is not None:
        tls.load_cert_chain(given.certificate, given.key)
    return Security(given.password, tls)


async def _until_told(given: argparse.Namespace) -> int:
    work = asyncio.create_task(_work(given))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    try:
        return await work
    except asyncio.CancelledError:
        return 0


async def _work(given: argparse.Namespace) -> int:
    if given.kind == "charger":
        return await _charger(given)
    return await (oicp.serve(given, _tell) if given.kind.startswith("oicp-") else _partner(given))


def main() -> None:
    """Run what the command line says. The exit status is 1 when the registration failed."""
    given = _arguments().parse_args()
    if given.kind == oicp.AUTHORITY:
        sys.exit(oicp.issue(given, _tell))
    sys.exit(asyncio.run(_until_told(given)))


if __name__ == "__main__":
    main()
