"""busbar oicp: operators, findings, charges, records that are stuck"""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from hub.cli.face import Face, command
from hub.cli.objects import Limit, Offset
from hub.cli.remote import quoted

_FINDINGS: Final = ("owner", "reason", "things", "example")
_CHARGES: Final = (
    *("session_id", "state", "origin", "cpo_party", "emp_party", "evse_id", "opened"),
    *("record.state", "record.kwh", "record.why"),
)
_LAWS: Final = "Local, External or Not Available."
_HELD: Final = "pushed, pulled, cards, products, evse-prices, products-DE*ABC of one operator."
_UNITS: Final = "KILOWATT_HOUR, HOUR or MINUTE."


def operator(
    face: Face,
    party: Annotated[str, typer.Argument(help="The CPO (DE*ABC), ours or a partner's; without one, all.")] = "",
    hotline: Annotated[str | None, typer.Option(help='Its hotline (+4912345678); "" takes it back.')] = None,
    language: Annotated[str | None, typer.Option(help="Of names that OCPI gives in no language (de).")] = None,
    name: Annotated[str | None, typer.Option(help="Its name at hubs, and of locations that name no operator.")] = None,
    calibration_law: Annotated[str | None, typer.Option(help=f"Where drivers find its data: {_LAWS}")] = None,
    dynamic_info: Annotated[str | None, typer.Option(help="Is status told besides: true, false or auto.")] = None,
    default_price: Annotated[str | None, typer.Option(help="What EVSEs without a product cost (0.60), no tax.")] = None,
    default_currency: Annotated[str | None, typer.Option(help="Of that price (EUR).")] = None,
    default_unit: Annotated[str | None, typer.Option(help=f"What it is for: {_UNITS}")] = None,
    product_power: Annotated[str | None, typer.Option(help="Of its products, kW; else that of their EVSEs.")] = None,
) -> None:
    """What OICP asks of a CPO and OCPI does not tell: say it, or show what was said."""
    given = {
        "hotline": hotline,
        "language": language,
        "operator_name": name,
        "calibration_law": calibration_law,
        "dynamic_info": dynamic_info,
        "default_price": default_price,
        "default_currency": default_currency,
        "default_unit": default_unit,
        "product_power": product_power,
    }
    terms: dict[str, Any] = {option: value or None for option, value in given.items() if value is not None}
    if not party:
        face.show(face.hub.get("/oicp/operators"), ("party", "terms"))
    elif terms:
        face.show(face.hub.ask("PATCH", f"/oicp/operators/{quoted(party)}", terms))
    else:
        face.show(face.hub.get(f"/oicp/operators/{quoted(party)}"))


def findings(face: Face) -> None:
    """What keeps EVSEs and prices from partners of OICP, and how many of them."""
    face.show(face.hub.get("/oicp/findings"), _FINDINGS)


def charges(
    face: Face,
    state: Annotated[
        str | None, typer.Option(help="Only in this state: pending, active, ended, closed, refused, unused.")
    ] = None,
    record: Annotated[
        str | None, typer.Option(help="Only with a record that is new, held, waiting, withheld, refused or delivered.")
    ] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> None:
    """Charges and reservations of partners of OICP, with what became of their records, the newest first."""
    face.show(face.hub.get("/oicp/charges", state=state, record=record, limit=limit, offset=offset), _CHARGES)


def charge(face: Face, session: Annotated[str, typer.Argument(help="Its SessionID.")]) -> None:
    """One charge of partners of OICP."""
    face.show(face.hub.get(f"/oicp/charges/{quoted(session)}"))


def resend(face: Face, session: Annotated[str, typer.Argument(help="Its SessionID.")]) -> None:
    """Bring a charge detail record again that busbar oicp findings shows as held or refused."""
    face.show(face.hub.post(f"/oicp/records/{quoted(session)}/resend"))


def confirm(
    face: Face,
    name: Annotated[str, typer.Argument(help="The hub, as it is called here.")],
    what: Annotated[str | None, typer.Option(help=f"Which of it, where more than one is held: {_HELD}")] = None,
) -> None:
    """Let a hub lose what busbar oicp findings shows as held back."""
    query = {} if what is None else {"what": what}
    face.show(face.hub.ask("POST", f"/oicp/connections/{quoted(name)}/confirm", query=query))


def add_to(app: typer.Typer) -> None:
    """Beside the other commands of OICP."""
    for work in (operator, findings, charges, charge, resend, confirm):
        command(app, work.__name__)(work)
