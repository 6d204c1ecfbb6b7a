"""busbar session, cdr, transaction, reservation, change, audit and operator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import typer

from hub.cli.face import Face, command
from hub.cli.failures import Code, CommandFailed
from hub.cli.findings import show_findings
from hub.cli.held_bills import energy_in
from hub.cli.objects import Id, Limit, Offset, path_of
from hub.cli.receipts import show_page
from hub.cli.remote import quoted

session: Final = typer.Typer(help="Sessions.", no_args_is_help=True)
cdr: Final = typer.Typer(help="CDRs and their deliveries.", no_args_is_help=True)
transaction: Final = typer.Typer(help="Charges at our own chargers.", no_args_is_help=True)
reservation: Final = typer.Typer(help="Reservations.", no_args_is_help=True)
change: Final = typer.Typer(help="The change log.", no_args_is_help=True)
audit: Final = typer.Typer(help="The audit log.", no_args_is_help=True)
operator: Final = typer.Typer(help="Who may operate this hub.", no_args_is_help=True)

Partner = Annotated[str | None, typer.Option("--partner", help="Only what concerns this partner.")]
Station = Annotated[str | None, typer.Option("--station", help="Only at this charger.")]
Open = Annotated[bool | None, typer.Option("--open/--ended", help="Only what goes on, or only what has ended.")]
DateFrom = Annotated[str | None, typer.Option("--date-from", help="Only from then on, as in 2026-01-31T00:00:00Z.")]
Held = Annotated[bool, typer.Option("--held", help="Only those whose bill is held.")]
Withheld = Annotated[bool, typer.Option("--withheld", help="Those that reach nobody yet, with why.")]
After = Annotated[int | None, typer.Option("--after", min=0, help="Go on after this number.")]


def _filters(
    partner: str | None, station: str | None, is_open: bool | None, date_from: str | None, **flags: bool
) -> dict[str, str | None]:
    """The filters of a list of records as the API takes them; None for those that are not asked for."""
    wanted = None if is_open is None else str(is_open).lower()
    asked = {name: "true" if flag else None for name, flag in flags.items()}
    return {"partner": partner, "station": station, "open": wanted, "date_from": date_from, **asked}


def _list(app: typer.Typer, path: str, words: str, columns: Sequence[str], *, may_be_held: bool = False) -> None:
    """A command `list` with the filters that all records share, and `--held` where bills are held."""

    def listed(
        face: Face,
        partner: Partner = None,
        station: Station = None,
        is_open: Open = None,
        date_from: DateFrom = None,
        limit: Limit = 50,
        offset: Offset = 0,
        held: Held = False,
    ) -> None:
        query = _filters(partner, station, is_open, date_from, held=held)
        face.show(face.hub.get(path, **query, limit=limit, offset=offset), columns)

    def without_held(
        face: Face,
        partner: Partner = None,
        station: Station = None,
        is_open: Open = None,
        date_from: DateFrom = None,
        limit: Limit = 50,
        offset: Offset = 0,
    ) -> None:
        listed(face, partner, station, is_open, date_from, limit, offset)

    listed.__doc__ = without_held.__doc__ = words
    command(app, "list")(listed if may_be_held else without_held)


_list(
    transaction,
    "/transactions",
    "Charges at our own chargers, the newest first.",
    (
        *("session_id", "station", "connector", "owner"),
        *("start", "end", "meter_start_kwh", "meter_stop_kwh", "held_because"),
    ),
    may_be_held=True,
)
_list(
    reservation,
    "/reservations",
    "Reservations, the newest first.",
    ("key", "partner", "station", "connector", "expires", "state", "session"),
)


_OWNER: Final = ("country_code", "party_id")
_SESSION: Final = (*_OWNER, "id", "status", "start_date_time", "kwh", "total_cost.before_taxes", "last_updated")


@command(session, "list")
def list_sessions(
    face: Face,
    partner: Partner = None,
    station: Station = None,
    is_open: Open = None,
    date_from: DateFrom = None,
    limit: Limit = 50,
    offset: Offset = 0,
    held: Held = False,
    withheld: Withheld = False,
) -> None:
    """Sessions, the newest first."""
    query = _filters(partner, station, is_open, date_from, held=held, withheld=withheld)
    columns = (*_SESSION, *(("held_because",) if held else ()), *(("waits.state", "waits.rule") if withheld else ()))
    face.show(face.hub.get("/sessions", **query, limit=limit, offset=offset), columns)


@command(session, "show")
def show_session(face: Face, name: Id) -> None:
    """One session."""
    face.show(face.hub.get(path_of(face, "sessions", name)))


@command(session, "bill")
def bill_session(
    face: Face,
    session_id: Annotated[str, typer.Argument(metavar="SESSION_ID")],
    kwh: Annotated[str | None, typer.Option("--kwh", help="Bill this energy.")] = None,
    as_metered: Annotated[bool, typer.Option("--as-metered", help="Bill what the charger said.")] = False,
) -> None:
    """Bill a session whose bill is held, or was credited, once you have looked at it: with --kwh or --as-metered."""
    if (kwh is not None) == as_metered:
        raise CommandFailed("say which: --kwh X for a figure of yours, or --as-metered for the charger's", Code.USAGE)
    body = {"kwh": energy_in(kwh)} if kwh is not None else {"as_metered": True}
    face.show(face.hub.post(f"/sessions/{quoted(session_id.rsplit('/', 1)[-1])}/bill", body))


_CDR: Final = ("cdr.id", "cdr.start_date_time", "cdr.total_energy", "cdr.total_cost.before_taxes")
_VERDICTS: Final = "right, within_tolerance, wrong, cannot_be_checked or unchecked"


_UNDECIDED: Final = ("cannot_be_checked", "unchecked")


@command(cdr, "list")
def list_cdrs(
    face: Face,
    partner: Partner = None,
    station: Station = None,
    date_from: DateFrom = None,
    received: Annotated[bool, typer.Option("--received", help="Those that other CPOs brought.")] = False,
    check: Annotated[str | None, typer.Option("--check", help=f"Received ones, only {_VERDICTS}.")] = None,
    held: Annotated[bool, typer.Option("--held", help="Received ones that are not passed on.")] = False,
    withheld: Withheld = False,
    limit: Limit = 50,
    offset: Offset = 0,
) -> None:
    """CDRs, the newest first: those that are billed, or with --received all that other CPOs brought, held ones too."""
    brought = received or held or check is not None
    query = {"partner": partner, "station": station, "date_from": date_from, "check": check}
    query |= {"received": "true" if brought else None, "held": "true" if held else None}
    query["withheld"] = "true" if withheld else None
    columns = ("partner", *_CDR, "check") if brought else (*_CDR, "audience", "deliveries")
    face.show(face.hub.get("/cdrs", **query, limit=limit, offset=offset), (*columns, "state", "rule"))


@command(cdr, "check")
def check_cdr(face: Face, name: Id) -> None:
    """Is a CDR what its periods and tariffs come to? Exit code 1 when it is not, 6 when that cannot be said."""
    checked = face.hub.get(f"{path_of(face, 'cdrs', name)}/check")
    if face.as_json:
        face.show(checked)
    else:
        show_findings(face, checked)
    if checked["verdict"] == "wrong":
        raise typer.Exit(Code.FAILED)
    if checked["verdict"] in _UNDECIDED:
        face.say("It cannot be said whether this CDR is right.")
        raise typer.Exit(Code.UNDECIDED)


@command(cdr, "release")
def release_cdr(face: Face, name: Id) -> None:
    """Let a held CDR be passed on, whatever its check found."""
    face.show(face.hub.post(f"{path_of(face, 'cdrs', name)}/release"))


@command(cdr, "show")
def show_cdr(face: Face, name: Id) -> None:
    """One CDR, with its deliveries or with what its check found."""
    face.show(face.hub.get(path_of(face, "cdrs", name)))


@command(cdr, "receipt")
def show_receipt(face: Face, name: Id) -> None:
    """Why a CDR of ours costs what it does: a page for people, or all of it with --json."""
    receipt = face.hub.get(f"{path_of(face, 'cdrs', name)}/receipt")
    if face.as_json:
        face.show(receipt)
    else:
        show_page(face, receipt, title=f"Receipt of CDR {name.rsplit('/', 1)[-1]}")


@command(cdr, "credit")
def credit_cdr(face: Face, name: Id) -> None:
    """Take a CDR back: issue its credit CDR, and send it.

    Its charge can then be billed anew, by a CDR with another id: `busbar transaction correct`, or `release`.
    """
    face.show(face.hub.post(f"{path_of(face, 'cdrs', name)}/credit"))


@command(cdr, "resend")
def resend_cdr(face: Face, name: Id) -> None:
    """Send a CDR again that its eMSP has not taken; what it took is never sent twice."""
    face.show(face.hub.post(f"{path_of(face, 'cdrs', name)}/resend"))


@command(transaction, "show")
def show_transaction(face: Face, session_id: Annotated[str, typer.Argument(metavar="SESSION_ID")]) -> None:
    """One charge, with the token, the location and the tariffs as they were at its start."""
    face.show(face.hub.get(f"/transactions/{quoted(session_id)}"))


@command(change, "list")
def list_changes(
    face: Face,
    partner: Partner = None,
    module: Annotated[str | None, typer.Option("--module", help="Only changes of this module.")] = None,
    date_from: DateFrom = None,
    after: After = None,
    limit: Limit = 50,
) -> None:
    """The newest changes, or those that follow one."""
    query = {"partner": partner, "module": module, "date_from": date_from, "after": after}
    face.show(face.hub.get("/changes", **query, limit=limit), ("seq", "at", "module", "key", "audience", "what"))


@command(audit, "list")
def list_audit(face: Face, after: After = None, limit: Limit = 50) -> None:
    """The newest rows, or those that follow one."""
    found = face.hub.get("/audit", after=after, limit=limit)
    face.show(found, ("seq", "at", "actor", "action", "subject", "detail"))


@command(audit, "verify")
def verify_audit(face: Face) -> None:
    """Walk the whole chain; exit code 1 when a row was changed."""
    checked = face.hub.get("/audit/verify")
    face.show(checked)
    if not checked["intact"]:
        raise typer.Exit(Code.FAILED)


@command(operator, "token")
def issue_token(
    face: Face,
    role: Annotated[str, typer.Option("--role", help="viewer, operator or admin.")] = "viewer",
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="Days until it ends.")] = 30,
    subject: Annotated[str, typer.Option("--subject", help="Whom it is for; named in the audit log.")] = "cli",
) -> None:
    """A bearer token with a role and an end, shown this once."""
    face.show(face.hub.post("/operators/tokens", {"subject": subject, "role": role, "days": days}))
