"""busbar partner"""

from __future__ import annotations

from typing import Annotated, Final

import typer

from hub.cli.face import Face, command
from hub.cli.failures import Code, CommandFailed
from hub.cli.remote import quoted
from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Tree
from hub.core.parties import Party, PartyRole

app: Final = typer.Typer(help="Partners: invite, connect, look after, let go.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="How the partner is called here.")]
Roles = Annotated[list[PartyRole], typer.Option("--role", help="EMSP, CPO, HUB...; once for each --party.")]
Represents = Annotated[
    str, typer.Option("--as", help="The only party of ours that the connection stands for (OCPI 2.1.1 knows one).")
]
Parties = Annotated[list[str], typer.Option("--party", help="Country code and party id, as in NL*ABC.")]

_CLIENTS: Final = ("party", "role", "status", "since", "partner", "why")
_TOLD: Final = ("hub", "party", "role", "status", "since", "agreed")
_COLUMNS: Final = ("name", "state", "version", "roles", "waiting", "failures", "refused")


@command(app, "invite")
def invite(
    face: Face,
    name: Name,
    roles: Roles = [],  # noqa: B006
    parties: Parties = [],  # noqa: B006
    represents: Represents = "",
) -> None:
    """Invite a partner: prints the versions URL and token A, once."""
    body = {"name": name, "roles": _claims(roles, parties), "represents": represents}
    invited = face.hub.post("/partners", body)
    face.show(invited)
    if not face.as_json:
        face.say("Give both to the partner over a safe way. The token is not shown again.")


@command(app, "connect")
def connect(
    face: Face,
    name: Name,
    versions_url: Annotated[str, typer.Option("--versions-url", help="Where the partner's versions are.")],
    token_a: Annotated[str, typer.Option("--token-a", help="The token that the partner gave us.")],
    roles: Roles = [],  # noqa: B006
    parties: Parties = [],  # noqa: B006
    represents: Represents = "",
) -> None:
    """Register with a partner that invited us."""
    roles_asked = _claims(roles, parties)
    body = {"versions_url": versions_url, "token": token_a, "roles": roles_asked, "represents": represents}
    face.show(face.hub.post(f"/partners/{quoted(name)}/connect", body))


def _claims(roles: list[PartyRole], parties: list[str]) -> list[Tree]:
    """One role for several parties and several roles for one party are understood. Raises: CommandFailed."""
    if len(roles) == 1 and parties:
        roles = roles * len(parties)
    if len(parties) == 1 and roles:
        parties = parties * len(roles)
    if len(roles) != len(parties):
        raise CommandFailed("--role and --party go together, one of each", Code.USAGE)
    try:
        found = [Party.parse(party) for party in parties]
    except InvalidRequest as fault:
        raise CommandFailed(f"--party: {fault.message}", Code.USAGE) from None
    return [
        {"role": role.value, "country_code": party.country_code, "party_id": party.party_id}
        for role, party in zip(roles, found, strict=True)
    ]


@command(app, "list")
def list_partners(face: Face) -> None:
    """All partners, and what waits for them."""
    face.show(face.hub.get("/partners"), _COLUMNS)


@command(app, "clients")
def clients(face: Face) -> None:
    """Every party with its role, state, since when and why, as partners are told of it (hubclientinfo)."""
    found = face.hub.get("/clients")
    face.show(found, _CLIENTS)
    if found["told"] and not face.as_json:
        face.print("")
        face.show({"items": found["told"]}, _TOLD)


@command(app, "show")
def show(face: Face, name: Name) -> None:
    """State, version, endpoints, lane and losses."""
    face.show(face.hub.get(f"/partners/{quoted(name)}"))


@command(app, "losses")
def losses(face: Face, name: Name) -> None:
    """Which fields its objects lost on the way there and back, as its version has no place for them.

    The counts are written every 5 seconds: a hub that crashes, or is killed, forgets those since.
    """
    face.show(face.hub.get(f"/partners/{quoted(name)}/losses"), ("way", "module", "field", "times"))


@command(app, "pull")
def pull(
    face: Face, name: Name, full: Annotated[bool, typer.Option("--full", help="Everything, not only changes.")] = False
) -> None:
    """Pull the partner's lists now; of a hub of OICP: EVSEs, their status and records of our drivers."""
    face.show(face.hub.post(f"/partners/{quoted(name)}/pull", {"full": full}))


@command(app, "push")
def push(face: Face, name: Name) -> None:
    """Send the partner all our tariffs and locations again."""
    face.show(face.hub.post(f"/partners/{quoted(name)}/push"))


@command(app, "block")
def block(face: Face, name: Name) -> None:
    """Suspend the partner: its calls are refused, what it is owed waits, others are told."""
    face.show(face.hub.post(f"/partners/{quoted(name)}/block"))


@command(app, "unblock")
def unblock(face: Face, name: Name) -> None:
    """Let a blocked partner go on."""
    face.show(face.hub.post(f"/partners/{quoted(name)}/unblock"))


@command(app, "set")
def switch(
    face: Face,
    name: Name,
    cdr_policy: Annotated[
        str | None, typer.Option("--cdr-policy", help="What follows from its wrong CDRs: accept, flag or hold.")
    ] = None,
    cdr_tolerance: Annotated[
        str | None, typer.Option("--cdr-tolerance", help="What an amount of its CDRs may differ by, as in 0.02.")
    ] = None,
) -> None:
    """Set what holds for this partner alone; what is left out stays as it is."""
    switches = dict(face.hub.get(f"/partners/{quoted(name)}")["switches"])
    given = {"cdr_policy": cdr_policy, "cdr_tolerance": cdr_tolerance}
    switches |= {key: value for key, value in given.items() if value is not None}
    face.show(face.hub.put(f"/partners/{quoted(name)}/switches", switches)[1])


@command(app, "unregister")
def unregister(face: Face, name: Name) -> None:
    """End the registration, and tell the partner."""
    face.show(face.hub.delete(f"/partners/{quoted(name)}"))


@command(app, "rotate")
def rotate(
    face: Face,
    name: Name,
    version: Annotated[str | None, typer.Option("--ocpi", help="Change to this OCPI version along with it.")] = None,
) -> None:
    """New tokens on both sides; the old ones still work for a while."""
    face.show(face.hub.post(f"/partners/{quoted(name)}/rotate", {"version": version}))


@command(app, "refused")
def refused(face: Face, name: Name) -> None:
    """What the partner refused for its content, or cannot be told in its version."""
    face.show(face.hub.get(f"/partners/{quoted(name)}/refused"), ("id", "module", "object", "reason", "at"))


@command(app, "resend")
def resend(face: Face, name: Name, number: Annotated[int, typer.Argument(help="The id in `refused`.")]) -> None:
    """Send a refused object again, as it is now."""
    face.show(face.hub.post(f"/partners/{quoted(name)}/refused/{number}/resend"))
