"""Kinds whose tables the first migration makes, written by `python -m hub.core.migrations freeze`."""

# A line a kind, however long.
# fmt: off
# ruff: noqa: E501

from __future__ import annotations

from typing import Any

FIRST_KINDS: tuple[tuple[Any, ...], ...] = (
    ("doc_addressed", (), ()),
    ("doc_advice_confirmations", ("id", "reference"), ("id", "reference")),
    ("doc_agreements", (), ()),
    ("doc_authorizations", (), ()),
    ("doc_behind", ("partner", "role", "status", "spelled"), ("partner",)),
    ("doc_booking_calendars", (), ()),
    ("doc_booking_locations", ("id", "location"), ("id", "location")),
    ("doc_booking_openings", (), ()),
    ("doc_booking_starts", ("state",), ("state",)),
    ("doc_bookings", ("id", "status", "evse"), ("status", "evse")),
    ("doc_callbacks", ("state",), ("state",)),
    ("doc_cdr_checks", (), ()),
    ("doc_cdr_deliveries", ("state", "cdr"), ("state", "cdr")),
    ("doc_cdr_receipts", (), ()),
    ("doc_cdrs", ("lowest", "id", "session", "reference"), ("id", "session", "reference")),
    ("doc_cdrs_owed", (), ()),
    ("doc_charges", ("state", "station"), ("state", "station")),
    ("doc_charging_profiles", (), ()),
    ("doc_client_infos", ("role", "status", "partner", "why", "since"), ()),
    ("doc_client_sights", (), ()),
    ("doc_command_references", (), ()),
    ("doc_commands", ("partner", "state", "station"), ("state",)),
    ("doc_evses", ("location",), ()),
    ("doc_health", (), ()),
    ("doc_invoice_records", ("id",), ()),
    ("doc_invoiced_cdrs", ("record",), ("record",)),
    ("doc_lanes", (), ()),
    ("doc_learned_tokens", ("uid", "contract"), ("uid", "contract")),
    ("doc_locations", ("lowest", "id"), ()),
    ("doc_losses", (), ()),
    ("doc_names", (), ()),
    ("doc_ocpp_certificate_requests", ("station",), ("station",)),
    ("doc_ocpp_errands", ("state",), ()),
    ("doc_ocpp_events", ("station", "state"), ("station",)),
    ("doc_ocpp_gateways", (), ()),
    ("doc_ocpp_sample_lists", ("station", "state"), ("station",)),
    ("doc_ocpp_samples", (), (), True),
    ("doc_ocpp_sequences", (), ()),
    ("doc_ocpp_sockets", (), ()),
    ("doc_ocpp_transactions", ("station", "state", "session", "number"), ("station", "state", "session")),
    ("doc_operators", (), ()),
    ("doc_partners", ("state",), ()),
    ("doc_passed_on_reservations", (), ()),
    ("doc_received_cdrs", ("id", "ocpi", "partner", "state", "verdict", "credits", "reference", "session", "card", "contract"), ("id", "state", "verdict", "credits", "reference", "session", "card", "contract")),
    ("doc_received_originals", (), ()),
    ("doc_refused", ("partner", "module", "object"), ("partner",)),
    ("doc_reservations", ("station", "state", "session"), ("station", "state")),
    ("doc_session_places", (), ()),
    ("doc_sessions", ("status", "evse", "id"), ("status", "evse", "id")),
    ("doc_stations", ("location",), ()),
    ("doc_stations_learned", (), ()),
    ("doc_tag_aliases", ("alias",), ("alias",)),
    ("doc_tariff_turns", (), ()),
    ("doc_tariffs", ("lowest", "id"), ()),
    ("doc_terminals", ("id",), ("id",)),
    ("doc_tokens", ("uid", "contract"), ("uid", "contract")),
)
"""Table, columns, indexed columns; True for a log."""
