"""What is on record of a charge, as the maker of CDRs wants it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.ports import Hub
from modules.cdrs.build import Sample, SessionFacts
from modules.cdrs.build import State as FactState
from modules.sessions.charge import Charge

_LONGEST_REMARK: Final = 255


def facts_of(hub: Hub, charge: Charge) -> SessionFacts:
    """The charge as the CDR's maker wants it."""
    return SessionFacts(
        session_id=charge.session_id,
        party=Party.parse(charge.location.split("/", 1)[0]),
        token=charge.tree_of_token(),
        location=charge.tree_of_location(),
        evse_uid=charge.evse_uid,
        connector_id=charge.connector_id,
        tariffs=charge.tariff_trees(),
        currency=hub.settings.currency,
        auth_method=charge.auth_method,
        start=None if charge.reservation_only else charge.start,
        end=charge.end,
        register=_register(charge),
        states=[FactState(state.at, state.state) for state in charge.states],
        power=[Sample(r.at, r.kw) for r in charge.readings if r.kw is not None],
        current=[Sample(r.at, r.ampere) for r in charge.readings if r.ampere is not None],
        reservation_start=charge.reserved_from,
        reservation_expired=charge.reservation_expired,
        authorization_reference=charge.reference,
        booking_id=charge.booking_id or None,
        remark=charge.remark[:_LONGEST_REMARK] or None,
        signed_data=_signed(charge),
    )


def _register(charge: Charge) -> list[Sample]:
    """The register: what Start and Stop say is the bill, the samples between only shape it (rule R14).

    A sample below an earlier one is passed over, so that what a driver was shown never falls.
    """
    first, last = charge.meter_start_kwh, charge.meter_stop_kwh
    if charge.counted_kwh is not None:
        last = charge.counted_kwh
    samples = [Sample(r.at, r.kwh) for r in charge.readings if r.kwh is not None and r.at > charge.start]
    if charge.end is not None and last is not None:
        samples = [sample for sample in samples if sample.at < charge.end and sample.value <= last]
        samples.append(Sample(charge.end, last))
    rising = [Sample(charge.start, first)] if first is not None else []
    for sample in samples:
        if not rising or sample.value >= rising[-1].value:
            rising.append(sample)
    return rising


def _signed(charge: Charge) -> Tree | None:
    """SignedData (mod_cdrs_signed_data_class), values untouched."""
    if not charge.signed:
        return None
    first = charge.signed[0]
    optional = {"public_key": first.public_key} if first.public_key else {}
    return {
        "encoding_method": first.encoding_method or "OCMF",
        **optional,
        "signed_values": [
            {"nature": value.nature, "plain_data": value.plain_data, "signed_data": value.signed_data}
            for value in charge.signed
        ],
    }


def without_tariffs(facts: SessionFacts) -> SessionFacts:
    """The same as if it cost nothing: for its energy and times, where it cannot be priced."""
    return replace(facts, tariffs=(), location={**facts.location, "evses": []})


def party_of(location: Tree) -> str:
    """Whose a location is, as `DE*BSB`."""
    return f"{location['country_code']}*{location['party_id']}"
