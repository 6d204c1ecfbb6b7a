"""Who may do what: the matrix of roles, the tokens, and what a stranger learns."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from hub.api.document import document
from hub.app import Program
from hub.control.token_file import token_file
from hub.core.jwt import OperatorRole, issue
from hub.core.secrets import Keys
from tests.hub.house import OPERATOR_TOKEN, SECRET, House, a_house, settings_in
from tests.world import ManualClock

ROLES = ("viewer", "operator", "admin")
LEAST = {
    "about": "viewer",
    "list_partners": "viewer",
    "invite_partner": "admin",
    "show_partner": "viewer",
    "unregister_partner": "admin",
    "connect_partner": "admin",
    "block_partner": "admin",
    "unblock_partner": "admin",
    "switch_partner": "admin",
    "rotate_tokens": "admin",
    "list_clients": "viewer",
    "list_oicp_connections": "viewer",
    "show_oicp_connection": "viewer",
    "connect_oicp": "admin",
    "disconnect_oicp": "admin",
    "list_oicp_certificates": "viewer",
    "show_oicp_certificate": "viewer",
    "ask_oicp_certificate": "admin",
    "install_oicp_certificate": "admin",
    "remove_oicp_certificate": "admin",
    "list_oicp_operators": "viewer",
    "show_oicp_operator": "viewer",
    "say_oicp_operator": "admin",
    "list_oicp_findings": "viewer",
    "list_oicp_charges": "viewer",
    "show_oicp_charge": "viewer",
    "confirm_oicp": "admin",
    "resend_oicp_record": "admin",
    "list_agreements": "viewer",
    "put_agreement": "admin",
    "remove_agreement": "admin",
    "explain_route": "viewer",
    "show_matrix": "viewer",
    "release_transaction": "operator",
    "correct_transaction": "operator",
    "drop_transaction": "operator",
    "pull_from_partner": "operator",
    "push_to_partner": "operator",
    "list_losses": "viewer",
    "list_refused": "viewer",
    "resend_refused": "operator",
    "list_locations": "viewer",
    "get_location": "viewer",
    "put_location": "operator",
    "remove_evse": "operator",
    "list_tariffs": "viewer",
    "get_tariff": "viewer",
    "put_tariff": "operator",
    "lint_tariff": "viewer",
    "delete_tariff": "operator",
    "list_tokens": "viewer",
    "get_token": "viewer",
    "put_token": "operator",
    "list_sessions": "viewer",
    "get_session": "viewer",
    "bill_session": "operator",
    "list_cdrs": "viewer",
    "get_cdr": "viewer",
    "get_cdr_receipt": "viewer",
    "check_cdr": "viewer",
    "release_cdr": "operator",
    "credit_cdr": "operator",
    "resend_cdr": "operator",
    "list_transactions": "viewer",
    "get_transaction": "viewer",
    "list_reservations": "viewer",
    "list_changes": "viewer",
    "list_invoices": "viewer",
    "add_invoice": "operator",
    "get_invoice": "viewer",
    "correct_invoice": "operator",
    "withdraw_invoice": "operator",
    "list_terminals": "viewer",
    "get_terminal": "viewer",
    "assign_terminal": "operator",
    "activate_terminal": "operator",
    "deactivate_terminal": "operator",
    "list_payments": "viewer",
    "list_booking_locations": "viewer",
    "get_booking_location": "viewer",
    "put_booking_location": "operator",
    "list_bookings": "viewer",
    "get_booking": "viewer",
    "cancel_booking": "operator",
    "set_bookings_edition": "admin",
    "list_stations": "viewer",
    "put_station": "operator",
    "show_station": "viewer",
    "delete_station": "admin",
    "begin_maintenance": "operator",
    "end_maintenance": "operator",
    "show_commissioning": "viewer",
    "list_quirks": "viewer",
    "list_templates": "viewer",
    "show_template": "viewer",
    "put_template": "operator",
    "delete_template": "operator",
    "show_drift": "viewer",
    "apply_template": "operator",
    "begin_commissioning": "operator",
    "act_for_commissioning": "operator",
    "abandon_commissioning": "operator",
    "list_messages": "viewer",
    "call_station": "operator",
    "change_password": "admin",
    "list_alerts": "viewer",
    "acknowledge_alert": "operator",
    "list_webhooks": "operator",
    "add_webhook": "admin",
    "remove_webhook": "admin",
    "enable_webhook": "admin",
    "disable_webhook": "admin",
    "test_webhook": "operator",
    "show_uptime": "viewer",
    "list_outages": "viewer",
    "exclude_outage": "operator",
    "list_variables": "viewer",
    "set_variable": "operator",
    "list_monitors": "viewer",
    "set_monitor": "operator",
    "clear_monitor": "operator",
    "show_report": "operator",
    "list_certificates": "operator",
    "install_certificate": "admin",
    "delete_certificate": "admin",
    "list_sites": "viewer",
    "put_site": "operator",
    "show_site": "viewer",
    "delete_site": "admin",
    "limit_site": "operator",
    "load_site": "operator",
    "show_power": "viewer",
    "list_logs": "viewer",
    "show_local_list": "viewer",
    "ask_for_log": "operator",
    "show_log": "viewer",
    "get_log_file": "operator",
    "list_campaigns": "viewer",
    "start_campaign": "admin",
    "show_campaign": "viewer",
    "pause_campaign": "operator",
    "resume_campaign": "admin",
    "abort_campaign": "operator",
    "list_firmware": "viewer",
    "put_firmware": "admin",
    "put_firmware_file": "admin",
    "delete_firmware": "admin",
    "price": "viewer",
    "list_audit": "viewer",
    "verify_audit": "viewer",
    "issue_token": "admin",
}
"""The whole table: which role an operation asks for at least."""

OPERATIONS = [
    (operation["operationId"], method.upper(), re.sub(r"\{number\}", "1", re.sub(r"\{(?!number)\w+\}", "XX", path)))
    for path, methods in document()["paths"].items()
    for method, operation in methods.items()
    if path.startswith("/api")
]


def test_every_operation_stands_in_the_table() -> None:
    assert {name for name, _, _ in OPERATIONS} == set(LEAST)


def test_the_document_tells_the_role_of_every_operation() -> None:
    told = {
        operation["operationId"]: operation["x-role"]
        for path, methods in document()["paths"].items()
        for operation in methods.values()
        if path.startswith("/api")
    }
    assert told == LEAST


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_may_do_its_own_and_what_those_below_it_may(house: House, role: str) -> None:
    token = house.token_of(role)
    for name, method, path in OPERATIONS:
        told = await house.ask(method, path, {} if method in ("PUT", "POST") else None, token=token)
        allowed = ROLES.index(role) >= ROLES.index(LEAST[name])
        assert (told.status != 403) == allowed, (name, told.status, told.tree)
        assert told.status not in (401, 500), (name, told.tree)
        if not allowed:
            assert told.code == "forbidden"


async def test_nobody_gets_in_without_a_token(empty: Path) -> None:
    async with a_house(empty, failed_logins_per_min=1000) as house:
        for name, method, path in OPERATIONS:
            told = await house.ask(method, path, token="")
            assert (told.status, told.code) == (401, "unauthorized"), name
            assert told.headers["www-authenticate"] == "Bearer"


async def test_the_operators_token_is_an_admins(house: House) -> None:
    told = await house.ask("GET", "/api/v1")
    assert (told.tree["subject"], told.tree["role"]) == ("operator", "admin")


async def test_ocpi_tokens_open_nothing_here(house: House) -> None:
    token_a = (await house.invite("acme"))["token_a"]
    for header in (f"Bearer {token_a}", f"Token {token_a}", f"Token {OPERATOR_TOKEN}", "Bearer", f"Basic {token_a}"):
        told = await house.ask("GET", "/api/v1/partners", token="", headers={"Authorization": header})
        assert told.status == 401, header


async def test_an_operators_token_opens_nothing_at_ocpi(house: House) -> None:
    sent = await house.http.get("/ocpi/versions", headers={"Authorization": f"Token {OPERATOR_TOKEN}"})
    assert sent.status_code == 401


async def test_who_guesses_is_slowed_down_and_locks_nobody_out(empty: Path) -> None:
    async with a_house(empty, failed_logins_per_min=5) as house:
        statuses = [(await house.ask("GET", "/api/v1", token="a-wrong-token")).status for _ in range(8)]
        assert statuses == [401] * 5 + [429] * 3
        assert (await house.ask("GET", "/api/v1", token="a-wrong-token")).headers["retry-after"]
        assert (await house.ask("GET", "/api/v1")).status == 200


async def test_a_token_ends_when_its_time_is_over(empty: Path) -> None:
    clock = ManualClock()
    async with a_house(empty, clock=clock) as house:
        ask = {"subject": "jo", "role": "viewer", "days": 1}
        issued = (await house.ask("POST", "/api/v1/operators/tokens", ask)).tree
        assert (await house.ask("GET", "/api/v1", token=issued["token"])).tree["subject"] == "jo"
        clock.passed_s = timedelta(days=1).total_seconds()
        assert (await house.ask("GET", "/api/v1", token=issued["token"])).status == 401


async def test_a_token_of_another_installation_is_refused(house: House) -> None:
    key = Keys.from_secret(b"another-secret-key-of-another-hub-0123456789").jwt
    now = house.program.hub.clock.now()
    foreign = issue("jo", OperatorRole.ADMIN, key=key, now=now, lifetime=timedelta(days=1))
    assert (await house.ask("GET", "/api/v1", token=foreign)).status == 401


async def test_issuing_a_token_is_audited_without_the_token(house: House) -> None:
    ask = {"subject": "jo", "role": "operator", "days": 7}
    issued = (await house.ask("POST", "/api/v1/operators/tokens", ask)).tree
    (row,) = (await house.ask("GET", "/api/v1/audit")).tree["items"]
    assert (row["actor"], row["action"], row["subject"]) == ("operator", "operator.token", "jo")
    assert issued["token"] not in str(row)


async def test_the_first_start_mints_a_token_shows_it_once_and_keeps_it_for_this_machine(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, operator_token=None)
    program = await Program.open(settings)
    minted = program.operators.take_minted()
    again = program.operators.take_minted()
    await program.close()
    path = token_file(settings.database_url)
    assert minted is not None
    assert again is None
    assert path is not None
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text() == minted
    others = [file for file in tmp_path.glob("busbar.db*") if file != path]  # noqa: ASYNC240 - a test may wait
    assert others
    assert all(minted.encode() not in file.read_bytes() for file in others)


async def test_the_second_start_knows_the_token_and_cannot_show_it(tmp_path: Path) -> None:
    async with a_house(tmp_path, operator_token=None) as house:
        minted = house.program.operators.take_minted() or ""
    async with a_house(tmp_path, operator_token=None) as house:
        assert house.program.operators.take_minted() is None
        assert (await house.ask("GET", "/api/v1", token=minted)).status == 200


async def test_the_setting_replaces_a_minted_token(tmp_path: Path) -> None:
    async with a_house(tmp_path, operator_token=None) as house:
        minted = house.program.operators.take_minted() or ""
    async with a_house(tmp_path) as house:
        assert (await house.ask("GET", "/api/v1", token=minted)).status == 401
        assert (await house.ask("GET", "/api/v1")).status == 200


async def test_a_token_that_could_be_guessed_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="16 or more characters"):
        await Program.open(settings_in(tmp_path, operator_token=SecretStr("secret"), dev=False))
    async with a_house(tmp_path, operator_token=SecretStr("secret")) as house:
        assert (await house.ask("GET", "/api/v1", token="secret")).status == 200


def test_the_secret_of_these_tests_is_long_enough() -> None:
    assert len(SECRET) >= 32
