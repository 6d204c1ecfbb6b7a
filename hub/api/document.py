"""openapi/management.json: the management API described, from the routers and the models that they use.

The web framework writes paths and parameters. What it does not know is put in here: the bodies, which it never reads,
our one form of errors, and who may call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, get_args

from fastapi import FastAPI
from fastapi.routing import APIRoute

from hub import __version__, api
from hub.api.document_pricing import FINDINGS, PRICE_CHECK, PRICING_CASE, PRICING_RESULT, RECEIPT
from hub.control.asks import (
    Ask,
    BillHeld,
    BookingCancel,
    BookingsEdition,
    CampaignAsked,
    CertificateAsked,
    Commission,
    CommissionStep,
    Connect,
    CorrectHeld,
    Invite,
    InvoiceAsked,
    LogAsked,
    MaintenanceAsked,
    MonitorAsked,
    NewRule,
    OperatorToken,
    OutageExcluded,
    PartnerSwitches,
    Pull,
    ReleaseHeld,
    Rotate,
    RouteAsked,
    StationCall,
    TemplateApplied,
    VariableAsked,
    WebhookAsked,
)
from hub.control.commissioning.steps import NAMES as STEPS
from hub.control.lint import LintAsked
from hub.control.oicp_asks import OicpCertificate, OicpCertificateAsked, OicpConnection, OicpOperator
from hub.control.price import PriceAsked
from hub.control.received import VERDICTS
from hub.control.undelivered import ADDRESSED
from hub.core.behind import Status
from hub.core.dialect import What, Wire
from hub.core.jsontypes import Tree
from modules.bookings.wire import BOOKING, BOOKING_LOCATION
from modules.cdrs.check import Cause
from modules.cdrs.store import Passing
from modules.cdrs.wire import CDR
from modules.invoicereconciliation.wire import RECORD
from modules.locations.wire import LOCATION
from modules.payments.wire import CONFIRMATION, TERMINAL, TERMINAL_ASKED
from modules.sessions.wire import SESSION
from modules.tariffs.wire import TARIFF
from modules.tokens.whose import Waits
from modules.tokens.wire import TOKEN
from partners.ocpp.care.lists import State as ListState
from partners.ocpp.care.updates import STATES
from partners.ocpp.energy.rules import Policy
from partners.ocpp.watch.alerts import BY_NAME
from partners.ocpp.watch.rules import About, Severity

_REF: Final = "#/components/schemas/"
_ASKED: Final[tuple[type[Ask], ...]] = (
    Invite, Connect, NewRule, RouteAsked, PartnerSwitches, Pull, Rotate, BillHeld, CorrectHeld, ReleaseHeld,
    InvoiceAsked, BookingCancel, BookingsEdition,
    OperatorToken, CampaignAsked, LogAsked, StationCall, Commission, CommissionStep, TemplateApplied,
    MaintenanceAsked, VariableAsked, MonitorAsked,
    OutageExcluded, CertificateAsked, PriceAsked, LintAsked, WebhookAsked,
    OicpConnection, OicpCertificateAsked, OicpCertificate, OicpOperator,
)  # fmt: skip
_OBJECTS: Final[dict[str, Mapping[str, Wire[Any]]]] = {
    "Location": LOCATION,
    "Tariff": TARIFF,
    "Token": TOKEN,
    "Session": SESSION,
    "Cdr": CDR,
    "InvoiceReconciliationRecord": RECORD,
    "Terminal": TERMINAL,
    "TerminalPart": TERMINAL_ASKED,
    "FinancialAdviceConfirmation": CONFIRMATION,
    "BookingLocation": BOOKING_LOCATION,
    "Booking": BOOKING,
}

_TEXT: Final[Tree] = {"type": "string"}
_TEXT_OR_NULL: Final[Tree] = {"type": ["string", "null"]}
_WHOLE: Final[Tree] = {"type": "integer"}
_FLAG: Final[Tree] = {"type": "boolean"}
_AMOUNT: Final[Tree] = {"type": "number"}
_ANY_OBJECT: Final[Tree] = {"type": "object"}
_ANY: Final[Tree] = {}
_HELD_BECAUSE: Final[Tree] = {
    "type": "string",
    "description": "Why its bill is held: the doubt, or why it has no price, with the tariffs that are missing.",
}
_WARNINGS: Final[Tree] = {
    "type": "array",
    "items": _TEXT,
    "description": "Left out where there are none. A tariff that is not here, and connectors that name it.",
}
_PER_PHASE: Final[Tree] = {
    "anyOf": [{"type": "number"}, {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3}]
}
_SITE: Final[dict[str, Tree]] = {
    "policy": {"type": "string", "enum": [policy.value for policy in Policy]},
    "volts": _PER_PHASE,
    "nodes": {"type": "object", "additionalProperties": {"$ref": f"{_REF}SiteNode"}},
    "evses": {"type": "object", "additionalProperties": {"$ref": f"{_REF}SiteEvse"}},
    "rules": _ANY_OBJECT,
    "load_fresh_s": _WHOLE,
}


_PATTERN: Final[Tree] = {"type": "string", "minLength": 1, "description": "As of file names, in any case: Terra*"}
_TEMPLATE: Final[dict[str, Tree]] = {
    "vendor": _PATTERN,
    "model": _PATTERN,
    "firmware": _PATTERN,
    "apply": {"type": "string", "enum": ["by_hand", "on_boot"]},
}


def _object(**fields: Tree) -> Tree:
    return {"type": "object", "properties": fields, "required": list(fields)}


def _ref(name: str) -> Tree:
    return {"$ref": f"{_REF}{name}"}


def _items(of: Tree, **more: Tree) -> Tree:
    return _object(items={"type": "array", "items": of}, **more)


def _page(of: str) -> Tree:
    return _items(_ref(of), total=_WHOLE)


_ENDS: Final[dict[str, Tree]] = {
    "expires": _TEXT_OR_NULL,
    "days": {"type": ["integer", "null"], "description": "Whole days that are left."},
    "ends_soon": _FLAG,
}
_READABLE: Final = _object(subject=_TEXT, issuer=_TEXT, fingerprint=_TEXT, **_ENDS)
_END: Final = _object(name=_TEXT, version=_TEXT, roles={"type": "array", "items": _TEXT})
_ROLE: Final = _object(role=_TEXT, country_code=_TEXT, party_id=_TEXT, business_name=_TEXT)
_LANE: Final = _object(
    running=_FLAG,
    cursor=_WHOLE,
    last_change=_WHOLE,
    waiting=_WHOLE,
    owed={
        "type": "array",
        "items": _object(party=_TEXT, objects=_WHOLE, since=_TEXT, reason=_TEXT),
        "description": "What parties behind a hub are owed that cannot be reached just now; it counts in `waiting`.",
    },
    failures=_WHOLE,
    next_try=_TEXT_OR_NULL,
    last_error=_TEXT,
    delivered=_WHOLE,
    last_delivery=_TEXT,
)
_WEBHOOK: Final[dict[str, Tree]] = {
    "id": _TEXT,
    "url": _TEXT,
    "signed": _FLAG,
    "rules": {"type": "array", "items": _TEXT, "description": "Of which it hears; none: all."},
    "severities": {"type": "array", "items": _TEXT, "description": "Of which it hears; none: all."},
    "enabled": _FLAG,
    "created": _TEXT,
    "created_by": _TEXT,
    "lane": _LANE,
    "refused": {"type": "integer", "description": "Alerts of which it did not take what happened."},
    "last_refused": {"type": "string", "description": "How it answered the last of them."},
}
_IN_SHORT: Final[dict[str, Tree]] = {
    "name": _TEXT,
    "state": {"type": "string", "enum": ["invited", "connected", "blocked", "unregistered"]},
    "version": _TEXT_OR_NULL,
    "roles": {"type": "array", "items": _ROLE},
    "since": _TEXT,
    "waiting": _WHOLE,
    "failures": _WHOLE,
    "refused": _WHOLE,
}
_STATUS: Final[Tree] = {"type": "string", "enum": [status.value for status in Status]}
_VERDICT: Final[Tree] = {"type": "string", "enum": list(VERDICTS)}
_FIGURE: Final[Tree] = {"type": ["number", "string", "null"]}
_MONEY: Final = _object(before_taxes=_AMOUNT, after_taxes={"type": ["number", "null"]})
_WHY_IT_WAITS: Final[Tree] = {"type": "string", "description": "What keeps it from being sent; empty: nothing."}

ANSWERS: Final[dict[str, Tree]] = {
    "Error": _object(error=_object(code=_TEXT, message=_TEXT)),
    "Health": {"type": "object", "properties": {"status": _TEXT, "why_not": _TEXT, "dev": _FLAG}},
    "About": _object(version=_TEXT, party=_TEXT, base_url=_TEXT, versions_url=_TEXT, dev=_FLAG, role=_TEXT),
    "Invitation": _object(name=_TEXT, versions_url=_TEXT, versions_url_2_1_1=_TEXT, token_a=_TEXT),
    "PartnerInShort": _object(**_IN_SHORT),
    "Partners": _page("PartnerInShort"),
    "Partner": _object(
        **_IN_SHORT,
        represents=_TEXT,
        sees={"type": "object", "additionalProperties": {"type": "array", "items": _TEXT}},
        versions_url=_TEXT,
        endpoints={"type": "array", "items": _object(identifier=_TEXT, role=_TEXT, url=_TEXT)},
        lane=_LANE,
        switches={"type": "object", "additionalProperties": _TEXT},
        cdr_checks={"type": "object", "additionalProperties": _WHOLE},
        warnings={"type": "array", "items": _TEXT},
        losses={"type": "array", "items": _object(module=_TEXT, field=_TEXT, times=_WHOLE)},
    ),
    "OicpConnectionShown": _object(
        name=_TEXT, kind=_TEXT, state=_TEXT, party=_TEXT, base_url=_TEXT,
        parties={"type": "array", "items": _TEXT},
        operator_ids={"type": "array", "items": _TEXT},
        provider_ids={"type": "array", "items": _TEXT},
        fingerprints={"type": "array", "items": _TEXT},
        certificates={"type": "array", "items": _READABLE},
        client_certificate=_TEXT, server_ca=_TEXT, server_authorities={"type": "array", "items": _READABLE},
        operator_style=_TEXT, provider_style=_TEXT,
        countries={"type": "object", "additionalProperties": _TEXT},
        terms=_ANY_OBJECT,
        prices={"type": "array", "items": _ANY_OBJECT},
        limits={"type": "object", "additionalProperties": _WHOLE},
        learns=_FLAG, push_size=_WHOLE, data_every_s=_WHOLE, status_every_s=_WHOLE,
        leaves_cards=_FLAG, pushes_prices=_FLAG, pulls_prices=_FLAG,
    ),
    "OicpConnections": _page("OicpConnectionShown"),
    "OicpCertificateShown": _object(
        name=_TEXT, in_use=_FLAG, csr=_TEXT_OR_NULL, certificate=_TEXT_OR_NULL, **_ENDS,
        chain={"type": "array", "items": _READABLE},
        shown_to={"type": "array", "items": _TEXT},
    ),
    "OicpCertificates": _page("OicpCertificateShown"),
    "OicpOperatorShown": _object(party=_TEXT, terms=_ANY_OBJECT),
    "OicpConfirmed": _object(confirmed=_TEXT),
    "OicpRecordResent": _object(resent=_TEXT),
    "OicpOperators": _page("OicpOperatorShown"),
    "OicpCharge": _object(
        session_id=_TEXT, state=_TEXT, origin=_TEXT, cpo=_TEXT, cpo_party=_TEXT, emp=_TEXT, emp_party=_TEXT,
        evse_id=_TEXT, product=_TEXT, opened=_TEXT, code=_TEXT, ocpi_session=_TEXT, authorization_reference=_TEXT,
        cpo_partner_session_id=_TEXT, emp_partner_session_id=_TEXT,
        told={"type": "object", "additionalProperties": _TEXT},
        record={
            **_object(
                state=_TEXT, why=_TEXT, tries=_WHOLE, kwh={"type": ["number", "null"]}, product=_TEXT,
                times={"type": "object", "additionalProperties": _TEXT},
            ),
            "type": ["object", "null"],
        },
    ),
    "OicpCharges": _page("OicpCharge"),
    "OicpFindings": _items(_object(owner=_TEXT, reason=_TEXT, things=_WHOLE, example=_TEXT), total=_WHOLE),
    "Clients": _items(
        _object(party=_TEXT, role=_TEXT, status=_STATUS, since=_TEXT, partner=_TEXT, why=_TEXT),
        total=_WHOLE,
        told={
            "type": "array",
            "items": _object(hub=_TEXT, party=_TEXT, role=_TEXT, status=_STATUS, since=_TEXT, agreed=_FLAG),
        },
    ),
    "Agreement": _object(
        viewer=_TEXT,
        owner=_TEXT,
        module=_TEXT,
        allow=_FLAG,
        created=_FLAG,
        warnings={"type": "array", "items": _TEXT, "description": "What it names that is not here, if anything."},
    ),
    "Agreements": _items(_object(viewer=_TEXT, owner=_TEXT, module=_TEXT, allow=_FLAG), total=_WHOLE, default=_TEXT),
    "Route": {
        **_object(
            goes={"type": "string", "enum": ["everybody", "party", "ours", "nowhere"]},
            rule=_TEXT,
            gets={
                "type": "array",
                "items": _object(partner=_TEXT, party=_TEXT, version=_TEXT_OR_NULL, gets=_FLAG, rule=_TEXT),
            },
        ),
        "description": "`why` where it goes nowhere, with `status_code` unless it is taken and waits, and `http` where"
        " that is no 200; `owners` where it is answered from our copies.",
    },
    "Matrix": _object(
        a=_END,
        b=_END,
        use_cases={
            "type": "array",
            "items": _object(
                **{"module": _TEXT, "from": _TEXT, "to": _TEXT, "what": _TEXT, "possible": _FLAG, "why": _TEXT},
                methods={"type": "array", "items": _TEXT},
            ),
        },
        losses={
            "type": "array",
            "items": _object(
                **{"module": _TEXT, "from": _TEXT, "to": _TEXT, "object": _TEXT, "field": _TEXT, "value": _TEXT},
                what={"type": "string", "enum": [what.value for what in What]},
                note=_TEXT,
            ),
        },
    ),
    "Farewell": _object(name=_TEXT, state=_TEXT, told=_FLAG),
    "Pulled": _object(taken=_WHOLE, unchanged=_WHOLE, refused=_WHOLE),
    "Pushed": _object(waiting=_WHOLE),
    "RefusedObjects": _items(_object(id=_WHOLE, module=_TEXT, object=_TEXT, reason=_TEXT, at=_TEXT), total=_WHOLE),
    "Losses": _items(_object(way=_TEXT, module=_TEXT, field=_TEXT, times=_WHOLE), total=_WHOLE, version=_TEXT),
    "Resent": _object(module=_TEXT, object=_TEXT),
    "Deleted": _object(deleted=_TEXT),
    "DeletedTariff": {"allOf": [_ref("Deleted")], "properties": {"warnings": _WARNINGS}},
    "KeptLocation": {"allOf": [_ref("Location")], "properties": {"warnings": _WARNINGS}},
    "Locations": _page("Location"),
    "Tariffs": _page("Tariff"),
    "Tokens": _page("Token"),
    "TokenAsked": {"type": "object", "description": "A Token; what the URL says may be left out.",
                   "required": ["contract_id"], "properties": {"contract_id": _TEXT, "valid": _FLAG}},
    "ListedSession": {
        "allOf": [_ref("Session")],
        "properties": {"waits": _object(state={"type": "string", "enum": [ADDRESSED, *Waits]}, rule=_WHY_IT_WAITS),
                       "held_because": _HELD_BECAUSE},
        "description": "`waits`: why it reaches nobody, with `withheld`.",
    },
    "Sessions": _page("ListedSession"),
    "Delivery": _object(
        partner=_TEXT,
        state={"type": "string", "enum": ["pending", "sending", "unknown", "delivered", "refused", "held"]},
        why={"type": "string", "description": "Why it was set aside; empty where it was not."},
        attempts=_WHOLE,
        location=_TEXT,
        at=_TEXT,
    ),
    "IssuedCdr": _object(
        cdr=_ref("Cdr"),
        audience=_TEXT,
        state={"type": "string", "enum": [ADDRESSED, *Waits]},
        rule=_WHY_IT_WAITS,
        deliveries={"type": "array", "items": _ref("Delivery")},
    ),
    "ReceivedCdr": _object(
        cdr=_ref("Cdr"),
        partner=_TEXT,
        version=_TEXT,
        check=_VERDICT,
        state={"type": "string", "enum": [*Passing, *Waits, ADDRESSED]},
        rule=_WHY_IT_WAITS,
    ),
    "AnyCdr": {"anyOf": [_ref("IssuedCdr"), _ref("ReceivedCdr")]},
    "Cdrs": _page("AnyCdr"),
    "CdrCheck": {
        **_object(key=_TEXT, verdict=_VERDICT, why=_TEXT,
                  deviations={"type": "array", "items": _ref("CdrDeviation")}),
        "properties": {
            "key": _TEXT, "verdict": _VERDICT, "why": _TEXT,
            "deviations": {"type": "array", "items": _ref("CdrDeviation")},
            "computed": {"type": "object", "additionalProperties": _MONEY},
            "warnings": {"type": "array", "items": _TEXT},
            "held_because": _TEXT, "at": _TEXT, "tolerance": _AMOUNT, "time_zone": _TEXT_OR_NULL, "state": _TEXT,
        },
    },
    "CdrDeviation": _object(
        figure=_TEXT, claimed=_FIGURE, computed=_FIGURE, difference={"type": ["number", "null"]},
        why=_TEXT, tolerable=_FLAG, **{"class": {"type": "string", "enum": [cause.value for cause in Cause]}},
    ),
    "Transaction": {
        **_object(session_id=_TEXT, station=_TEXT, connector=_WHOLE, start=_TEXT),
        "properties": {
            "session_id": _TEXT, "station": _TEXT, "connector": _WHOLE, "start": _TEXT, "end": _TEXT,
            "held": {"type": "boolean", "description": "Its bill waits: for a price, or, with a `doubt`, for you."},
            "held_because": _HELD_BECAUSE,
            "held_since": {**_TEXT, "description": "By the hub's clock."},
            "doubt": {**_TEXT, "description": "Of its energy, or of what else an operator must say."},
            "unpriced": {**_TEXT, "description": "Why it had no price, when that was tried last."},
            "decided": {"type": "string", "enum": ["corrected", "dropped"]},
        },
    },
    "Transactions": _page("Transaction"),
    "Reservation": _object(number=_WHOLE, key=_TEXT, station=_TEXT, expires=_TEXT),
    "Reservations": _page("Reservation"),
    "InvoicedCdr": {"type": "object", "required": ["id", "state"], "properties": {
        "id": _TEXT, "state": {"type": "string", "enum": ["found", "unknown", "foreign", "repeated"]},
        "owner": _TEXT, "currency": _TEXT, "before_taxes": _AMOUNT, "after_taxes": _AMOUNT}},
    "InvoiceCheck": _object(
        audience=_TEXT,
        cdrs={"type": "array", "items": _ref("InvoicedCdr")},
        totals={"type": "array",
                "items": _object(currency=_TEXT, cdrs=_WHOLE, before_taxes=_AMOUNT, after_taxes=_AMOUNT)},
        agrees=_FLAG,
    ),
    "InvoiceInShort": _object(record=_ref("InvoiceReconciliationRecord"), audience=_TEXT, rule=_WHY_IT_WAITS),
    "Invoices": _page("InvoiceInShort"),
    "Invoice": _object(
        record=_ref("InvoiceReconciliationRecord"), audience=_TEXT, rule=_WHY_IT_WAITS, check=_ref("InvoiceCheck")
    ),
    "TerminalShown": _object(
        provider=_TEXT, audience=_TEXT, decided_by=_TEXT, rule=_WHY_IT_WAITS, terminal=_ref("Terminal")
    ),
    "Terminals": _page("TerminalShown"),
    "Told": {"type": "object", "required": ["asked"], "properties": {"asked": _TEXT, "answer": {}}},
    "Payment": _object(
        provider=_TEXT, audience=_TEXT, rule=_WHY_IT_WAITS, confirmation=_ref("FinancialAdviceConfirmation"),
        cdrs={"type": "array", "items": _TEXT}, charged={"type": ["number", "null"]},
        state={"type": "string", "enum": ["unmatched", "matched", "differs"]},
    ),
    "Payments": _page("Payment"),
    "BookingLocations": _page("BookingLocation"),
    "Bookings": _page("Booking"),
    "Changes": _items(_object(seq=_WHOLE, at=_TEXT, module=_TEXT, key=_TEXT, what=_TEXT), last=_WHOLE),
    "AuditRows": _items(_object(seq=_WHOLE, at=_TEXT, actor=_TEXT, action=_TEXT, subject=_TEXT, detail=_TEXT)),
    "AuditCheck": _object(intact=_FLAG, rows=_WHOLE, head=_TEXT, broken_at={"type": ["integer", "null"]}),
    "StationAsked": {
        "type": "object",
        "properties": {
            "location": _TEXT,
            "evses": {
                "type": "object",
                "additionalProperties": _object(
                    evse_uid=_TEXT, connectors={"type": "object", "additionalProperties": _TEXT}
                ),
            },
            "protocol": _TEXT,
            "security_profile": {"type": "integer", "minimum": 0, "maximum": 3},
            "password": _TEXT,
            "switches": _ANY_OBJECT,
        },
        "additionalProperties": False,
    },
    "Station": _object(identity=_TEXT, url=_TEXT, location=_TEXT, evses=_ANY_OBJECT, protocol=_TEXT, connected=_FLAG),
    "StationShown": {
        "allOf": [
            _ref("Station"),
            _object(
                maintenance={"type": ["object", "null"], "description": "Since when it is out of service, why, where."},
                commissioning={"type": ["object", "null"], "description": "Since when it is put into service, or was."},
                doubts={
                    "type": "array",
                    "description": "What is held, then what else was answered and is odd: the newest first.",
                    "items": _object(
                        severity=_TEXT, state=_TEXT, held=_FLAG, reasons={"type": "array", "items": _TEXT}
                    ),
                }
            ),
        ]
    },
    "Stations": _page("Station"),
    "TemplateAsked": {
        "type": "object", "required": ["values"], "additionalProperties": False, "properties": {
            **_TEMPLATE, "name": _TEXT, "updated": _TEXT,
            "values": {"type": "object", "additionalProperties": {"type": ["string", "integer", "boolean"]},
                       "minProperties": 1, "description": "By key of 1.6, or Component.Variable of 2.x."},
        },
    },
    "Template": {
        **_object(name=_TEXT, values={"type": "object", "additionalProperties": _TEXT}, apply=_TEXT, updated=_TEXT),
        "description": "With those of vendor, model and firmware that were given.",
    },
    "Templates": _page("Template"),
    "TemplateShown": {"allOf": [_ref("Template"), _object(stations={"type": "array", "items": _TEXT})]},
    "Drifts": _items(
        _object(station=_TEXT, name=_TEXT, desired=_TEXT, actual=_TEXT_OR_NULL, state=_TEXT), total=_WHOLE
    ),
    "Quirks": _items(
        _object(
            vendor=_TEXT, model=_TEXT, firmware=_TEXT, quirk=_TEXT, times=_WHOLE, first=_TEXT, last=_TEXT,
            station={"type": "string", "description": "Where it was seen last."},
        ),
        total=_WHOLE,
    ),
    "Commissioning": {
        **_object(
            identity=_TEXT,
            url={"type": "string", "description": "What the charger is to call."},
            state={"type": "string", "enum": ["not begun", "under way", "done"]},
            since=_TEXT_OR_NULL,
            done=_TEXT_OR_NULL,
            withheld={"type": "array", "items": _TEXT, "description": "EVSEs that partners do not see before."},
            next=_TEXT_OR_NULL,
            steps={"type": "array", "items": _object(
                step={"type": "string", "enum": list(STEPS)},
                state={"type": "string", "enum": ["ok", "open", "failed", "skipped"]},
                found=_TEXT, advice=_TEXT)},
            charge={"type": ["object", "null"], "description": "The newest: session_id, open, kwh, price."},
        ),
        "description": "`password` where one was made, this once; `outcome` of what was asked for.",
    },
    "FirmwareAsked": {
        "type": "object", "required": ["model", "version", "sha256"], "additionalProperties": False, "properties": {
            "model": {"type": "string", "minLength": 1, "maxLength": 50},
            "version": {"type": "string", "minLength": 1, "maxLength": 50},
            "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            "signature": {"type": "string", "maxLength": 800}, "certificate": {"type": "string", "maxLength": 5500},
        },
    },
    "Firmware": _object(
        name=_TEXT, model=_TEXT, version=_TEXT, sha256=_TEXT, size=_WHOLE, signature=_TEXT, certificate=_TEXT,
        added=_TEXT, state={"type": "string", "enum": ["ready", "waits for its file"]},
    ),
    "Firmwares": _page("Firmware"),
    "Campaign": _object(
        id=_TEXT, firmware=_TEXT, model=_TEXT, version=_TEXT, why=_TEXT, created=_TEXT, rules=_ANY_OBJECT,
        state={"type": "string", "enum": ["running", "paused", "stopped", "aborted", "done"]},
        total=_WHOLE, counts={"type": "object", "additionalProperties": _WHOLE},
        success={"type": "array", "items": _object(
            model=_TEXT, verified=_WHOLE, failed=_WHOLE, success_percent={"type": ["integer", "null"]})},
    ),
    "Campaigns": _page("Campaign"),
    "CampaignShown": {"allOf": [_ref("Campaign"), _object(stations={"type": "array", "items": _object(
        station=_TEXT, model=_TEXT, state={"type": "string", "enum": list(STATES)}, attempt=_WHOLE, why=_TEXT,
        withdrawn=_FLAG, course={"type": "array", "items": _object(state=_TEXT, at=_TEXT)})})]},
    "LocalList": _object(
        station=_TEXT, version=_WHOLE, entries=_WHOLE, left_out=_WHOLE, why=_TEXT, at=_TEXT_OR_NULL,
        state={"type": "string", "enum": list(get_args(ListState))},
    ),
    "StationLog": _object(
        number=_WHOLE, station=_TEXT, kind={"type": "string", "enum": ["diagnostics", "security"]}, asked=_TEXT,
        expires=_TEXT, state={"type": "string", "enum": ["asked", "uploading", "received", "failed", "expired"]},
        why=_TEXT, file_name=_TEXT, size=_WHOLE, sha256=_TEXT,
    ),
    "StationLogs": _page("StationLog"),
    "Alert": _object(
        id=_TEXT,
        rule={"type": "string", "enum": list(BY_NAME)},
        subject={"type": "string", "description": "As in CP1, CP1/E1, acme, garage, garage/main, charges, cdrs."},
        severity={"type": "string", "enum": [severity.value for severity in Severity]},
        opened=_TEXT,
        seen={"type": "string", "description": "What was seen when it opened; of a closed one, what was seen last."},
        closed=_TEXT_OR_NULL,
        acknowledged_by={"type": "string", "description": "Who looks after it; empty: nobody said so."},
        about={"type": "string", "enum": [about.value for about in About], "description": "What the subject is."},
    ),
    "Alerts": _page("Alert"),
    "Webhook": _object(**_WEBHOOK),
    "Webhooks": _page("Webhook"),
    "WebhookAdded": {
        **_object(**_WEBHOOK),
        "properties": {**_WEBHOOK, "secret": {"type": "string", "description": "If we made it; shown this once."}},
    },
    "WebhookTested": _object(
        delivered=_FLAG, status={"type": ["integer", "null"]}, error=_TEXT, took_ms=_WHOLE, event=_TEXT
    ),
    "Uptime": _items(
        _object(
            evse_uid=_TEXT, station=_TEXT, location=_TEXT, minutes=_AMOUNT, outage=_AMOUNT, excluded=_AMOUNT,
            percent=_AMOUNT, to={"type": "string", "description": "Never after its charger was taken away."},
            **{"from": {"type": "string", "description": "Never before we began to look."}},
        ),
        total=_WHOLE, percent={"type": ["number", "null"]}, to=_TEXT, **{"from": _TEXT},
    ),
    "Outage": _object(
        id=_TEXT, evse_uid=_TEXT, station=_TEXT, reason=_TEXT, began=_TEXT, ended=_TEXT_OR_NULL,
        excluded=_TEXT, excluded_by=_TEXT,
        maintenance={"type": "boolean", "description": "In maintenance mode; excluded by itself."},
    ),
    "Outages": _page("Outage"),
    "Messages": _items(_object(at=_TEXT, direction=_TEXT, size=_WHOLE)),
    "CallOutcome": {
        "type": "object",
        "required": ["outcome"],
        "properties": {
            "outcome": {"type": "string", "enum": ["result", "error", "pending"]},
            "result": _ANY_OBJECT,
            "error": _object(code=_TEXT, description=_TEXT),
            "finding": _TEXT,
        },
    },
    "Variables": _page("Variable"),
    "Variable": _object(name=_TEXT, values={"type": "object", "additionalProperties": _TEXT}),
    "VariableSet": _object(
        name=_TEXT, status=_TEXT, value={"type": ["string", "null"]}, verified=_FLAG, reboot_required=_FLAG
    ),
    "Monitors": _page("Monitor"),
    "Monitor": _object(id=_WHOLE, name=_TEXT, type=_TEXT, severity=_WHOLE),
    "Certificates": _page("Certificate"),
    "Certificate": _object(type=_TEXT, serialNumber=_TEXT),
    "CertificateDone": _object(status=_TEXT, serial=_TEXT),
    "Report": _items(_object(key=_TEXT), at={"type": ["string", "null"]}, total=_WHOLE),
    "MonitorSet": _object(status=_TEXT, id={"type": ["integer", "null"]}),
    "SiteNode": {
        "type": "object",
        "properties": {"parent": _TEXT, "limit_a": _PER_PHASE, "limit_w": _AMOUNT, "load_a": _PER_PHASE},
        "additionalProperties": False,
    },
    "SiteEvse": {
        "type": "object",
        "required": ["node", "most_a"],
        "properties": {
            "node": _TEXT, "most_a": _AMOUNT, "least_a": _AMOUNT, "step_a": _AMOUNT, "priority": _WHOLE,
            "safe_a": {"type": "number", "description": "What it allows when told nothing, and offline."},
            "wiring": {"type": "array", "items": {"type": "string", "enum": ["L1", "L2", "L3"]}, "minItems": 1,
                       "description": "The grid phase of each of its own, its L1 first."},
        },
        "additionalProperties": False,
    },
    "SiteAsked": {
        "type": "object", "required": ["nodes", "evses"], "properties": _SITE, "additionalProperties": False,
    },
    "Site": {
        "type": "object",
        "required": ["name", "nodes", "evses", "unsafe", "limits", "loads"],
        "properties": {
            **_SITE,
            "name": _TEXT,
            "unsafe": {"type": "array", "items": _TEXT,
                       "description": "Where the safe currents and the building's load are too much together."},
            "limits": {"type": "array", "items": _ref("SiteLimitAsked")},
            "loads": {"type": "array",
                      "items": _object(node=_TEXT, load_a=_PER_PHASE, at=_TEXT, counts=_FLAG)},
        },
    },
    "Sites": _page("Site"),
    "SiteLimitAsked": {
        "type": "object",
        "required": ["node"],
        "properties": {"node": _TEXT, "limit_a": _PER_PHASE, "limit_w": _AMOUNT, "until": _TEXT, "begin": _TEXT},
        "additionalProperties": False,
    },
    "SiteLoadAsked": {
        "type": "object", "required": ["node", "load_a"],
        "properties": {"node": _TEXT, "load_a": _PER_PHASE, "at": _TEXT}, "additionalProperties": False,
    },
    "SitePower": _items(
        {
            "type": "object",
            "required": ["evse_uid", "state", "may_a", "why"],
            "properties": {
                "evse_uid": _TEXT, "station": _TEXT, "connector": _WHOLE, "session": _TEXT,
                "state": {"type": "string", "enum": ["charging", "idle", "settling", "offline", "deaf"]},
                "may_a": {"type": "number", "description": "On each of `phases`: as told, or its safe current."},
                "then_a": {"type": "number", "description": "What it is to get once others have given way."},
                "phases": {"type": "array", "items": _TEXT}, "begin": _TEXT, "until": _TEXT,
                "accepted": _FLAG, "draws_a": {"type": "array", "items": _AMOUNT}, "draws_w": _AMOUNT,
                "measured_at": _TEXT, "wish": _FLAG, "why": _TEXT,
            },
        },
        site=_TEXT,
        at=_TEXT_OR_NULL,
        nodes={"type": "array",
               "items": _object(node=_TEXT, limit_a=_ANY, limit_w=_ANY, load_a=_PER_PHASE, may_a=_PER_PHASE)},
        warnings={"type": "array", "items": _TEXT},
        exceeded={"type": "array", "items": _TEXT,
                  "description": "Those of them that say what draws too much; what is only kept is not drawn."},
    ),
    "Price": {
        "type": "object", "required": ["currency", "total", "billed", "receipt", "warnings"], "properties": {
            "currency": _TEXT, "total": _MONEY, "billed": _ANY_OBJECT, "check": _ref("PriceCheck"),
            "receipt": _ref("Receipt"), "warnings": {"type": "array", "items": _ANY_OBJECT}}},
    "PriceCheck": PRICE_CHECK,
    "Receipt": RECEIPT,
    "PricingCase": PRICING_CASE,
    "PricingResult": PRICING_RESULT,
    "Findings": FINDINGS,
    "IssuedToken": _object(token=_TEXT, subject=_TEXT, role=_TEXT, expires=_TEXT),
}  # fmt: skip


def document() -> Tree:
    """The whole document; needs no running hub."""
    app = FastAPI(title="Busbar, management API", version=__version__, license_info=_LICENCE)
    for router in api.ROUTERS:
        app.include_router(router)
    described: Tree = app.openapi()
    described["info"]["description"] = "What an operator does with a hub. Times are UTC, amounts exact decimal numbers."
    described["components"] = {
        "schemas": dict(sorted(_schemas().items())),
        "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
    }
    _finish(described, [route for router in api.ROUTERS for route in router.routes if isinstance(route, APIRoute)])
    return described


_LICENCE: Final = {"name": "Apache-2.0", "identifier": "Apache-2.0"}


def _schemas() -> dict[str, Tree]:
    """Ours; those of pydantic's models, with their definitions brought to one place."""
    found = dict(ANSWERS)
    written = {model.__name__: model.model_json_schema(ref_template=_REF + "{model}") for model in _ASKED}
    written |= {name: wires["2.3.0"].schema() for name, wires in _OBJECTS.items()}
    for name, schema in written.items():
        definitions = schema.pop("$defs", {})
        found |= {f"{name}.{each}": _moved(name, definitions, inner) for each, inner in definitions.items()}
        found[name] = _moved(name, definitions, schema)
    return found


def _moved(owner: str, definitions: Tree, schema: Any) -> Any:
    """`schema` with references to its own definitions turned to `<owner>.<definition>`."""
    if isinstance(schema, list):
        return [_moved(owner, definitions, each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    target = str(schema.get("$ref", "")).rsplit("/", 1)[-1]
    if "$ref" in schema and target in definitions:
        return {**schema, "$ref": f"{_REF}{owner}.{target}"}
    return {key: _moved(owner, definitions, value) for key, value in schema.items() if key != "$schema"}


def _finish(described: Tree, routes: Iterable[APIRoute]) -> None:
    by_path = {(route.path_format, method.lower()): route for route in routes for method in route.methods or ()}
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            operation["operationId"] = by_path[path, method].name
            operation["summary"] = operation.pop("description")
            operation["responses"] = _responses(operation["responses"], secured=path.startswith("/api"))
            role = _role_of(by_path[path, method])
            if role:
                operation["security"] = [{"bearer": []}]
                operation["x-role"] = role


def _responses(given: Tree, *, secured: bool) -> Tree:
    """The successful ones as they are declared, every other in our one form."""
    good = {status: answer for status, answer in given.items() if status != "422" and answer.get("content")}
    good = {status: answer for status, answer in good.items() if _says_something(answer)}
    error = {"description": "Refused", "content": {"application/json": {"schema": _ref("Error")}}}
    return {**good, **({"default": error} if secured else {})}


def _says_something(answer: Tree) -> bool:
    """The framework adds an empty 200 to what is only ever answered with 201."""
    return any(content != {"schema": {}} for content in answer["content"].values())


def _role_of(route: APIRoute) -> str:
    """Which role the endpoint asks for; empty for open ones."""
    hints: Iterable[Any] = (str(hint) for hint in route.endpoint.__annotations__.values())
    names = {name.lower() for name in ("Viewer", "Operator", "Admin")}
    return next((hint.lower() for hint in hints if hint.lower() in names), "")
