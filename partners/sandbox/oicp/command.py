"""The command line of the OICP partners: `oicp-emp`, `oicp-cpo`, `oicp-hub`, and `oicp-authority` for their papers."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from partners.sandbox.modes import MODES
from partners.sandbox.oicp.authority import Authority
from partners.sandbox.oicp.cpo import Cpo
from partners.sandbox.oicp.emp import Emp
from partners.sandbox.oicp.hub import Hub
from partners.sandbox.oicp.papers import Papers
from partners.sandbox.oicp.partner import Partner

_ENDS: Final = {"oicp-emp": Emp, "oicp-cpo": Cpo}
AUTHORITY: Final = "oicp-authority"


def add_kinds(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """What may be written after `python -m partners.sandbox`."""
    for kind, party, what in (
        ("oicp-emp", "DE-EEE", "a roaming partner of OICP that sells charging"),
        ("oicp-cpo", "DE*ABC", "a roaming partner of OICP that has chargers"),
        ("oicp-hub", "DE*HUB", "a roaming hub of OICP"),
    ):
        partner = kinds.add_parser(kind, help=what)
        partner.add_argument("--party", default=party)
        partner.add_argument("--port", type=int, default=0, help="of OICP, over TLS; 0 takes a free one")
        partner.add_argument("--admin-port", type=int, default=0, help="of the admin routes, over plain HTTP")
        partner.add_argument("--ca", type=Path, required=True, help="root certificate that is trusted")
        partner.add_argument("--certificate", type=Path, required=True, help="its own, as server and as client")
        partner.add_argument("--key", type=Path, required=True, help="the private key of it")
        partner.add_argument("--mode", choices=sorted(MODES), default="happy")
        partner.add_argument("--seed", type=int, default=0, help="of the modes' dice")
        partner.add_argument("--receipts", type=Path, help="file of the receipt log")
        if kind in _ENDS:
            partner.add_argument("--hub", help="base URL of the hub, up to what OICP names")
            partner.add_argument("--hub-certificate", type=Path, help="the only one that may speak as the hub")
    authority = kinds.add_parser(AUTHORITY, help="certificates for them, in a folder")
    authority.add_argument("folder", type=Path)
    authority.add_argument("names", nargs="+", help="NAME becomes NAME.pem and NAME.key beside ca.pem")


def issue(given: argparse.Namespace, tell: Callable[[dict[str, Any]], None]) -> int:
    """Make the certificates, and tell their fingerprints."""
    authority = Authority(given.folder)
    for name in given.names:
        papers = authority.issue(name)
        tell({"certificate": str(papers.certificate), "fingerprint": papers.fingerprint})
    return 0


async def serve(given: argparse.Namespace, tell: Callable[[dict[str, Any]], None]) -> int:
    """Run a partner until it is cancelled. Returns: 1, when it could not begin."""
    try:
        partner = _made(given)
    except (ValueError, OSError) as error:
        tell({"error": f"{type(error).__name__}: {error}"})
        return 1
    async with partner:
        state = partner.state()
        tell({name: state[name] for name in ("party", "url", "admin_url", "mode", "fingerprint")})
        await asyncio.Event().wait()
    return 0


def _made(given: argparse.Namespace) -> Partner:
    papers = Papers(given.ca, given.certificate, given.key)
    common = {name: getattr(given, name) for name in ("port", "admin_port", "mode", "seed", "receipts")}
    if given.kind in _ENDS:
        end = _ENDS[given.kind]
        return end(given.party, papers, hub=given.hub, hub_certificate=given.hub_certificate, **common)
    return Hub(given.party, papers, **common)
