"""The command `busbar`: every command against a hub that runs, its exit codes, and what it writes where."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest
import structlog
from cryptography.hazmat.primitives import hashes

from hub.cli.failures import Code
from hub.core.clock import timestamp
from modules.cdrs import received, vetting
from modules.cdrs.model import CDR
from partners.sandbox.emsp import Emsp
from tests.hub.house import OPERATOR_TOKEN, House, a_serving_house
from tests.hub.invoked import invoked, put_together
from tests.modules.cdrs.check.records import but
from tests.modules.cdrs.check.test_mistakes import EVENING, HOURS
from tests.partners.oicp.authority import Authority
from tests.world import location, tariff

T = TypeVar("T")


class Background:
    """A hub and an eMSP in a thread of their own, as the commands block."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._ending = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._live(),))
        self._thread.start()
        assert self._ready.wait(30)

    async def _live(self) -> None:
        async with a_serving_house(self._directory) as self.house, Emsp("2.2.1", "NL*EEE") as self.emsp:
            self._ready.set()
            await self._ending.wait()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something there, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(30)
        self._loop.close()


@dataclass
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def tree(self) -> Any:
        return json.loads(self.out)


@dataclass
class Shell:
    """Runs commands on one hub."""

    background: Background
    directory: Path

    @property
    def house(self) -> House:
        return self.background.house

    def run(self, *words: str, stdin: str | None = None, url: str = "", token: str = OPERATOR_TOKEN) -> Ran:
        environment = {
            "BUSBAR_URL": url or self.house.url,
            "BUSBAR_OPERATOR_TOKEN": token,
            "BUSBAR_DATABASE_URL": f"sqlite:///{self.directory}/elsewhere.db",
        }
        result = invoked(*words, stdin=stdin, env=environment)
        return Ran(result.exit_code, result.stdout, result.stderr)

    def ok(self, *words: str, stdin: str | None = None) -> Any:
        """Run with --json; it must succeed, and say nothing but JSON."""
        ran = self.run(*words, "--json", stdin=stdin)
        assert (ran.code, ran.err) == (0, ""), (words, ran)
        return ran.tree

    def file(self, name: str, tree: Any) -> str:
        path = self.directory / name
        path.write_text(json.dumps(tree, default=float))
        return str(path)


@contextmanager
def a_background(directory: Path) -> Iterator[Background]:
    """A hub that serves, and logs nothing into what a command prints."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    background = Background(directory)
    yield background
    background.end()
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def background(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Background]:
    with a_background(tmp_path_factory.mktemp("cli")) as background:
        yield background


@pytest.fixture
def shell(background: Background, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(background, tmp_path)


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


ALL = sorted(commands(put_together()))


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_explains_itself_and_knows_json(words: tuple[str, ...]) -> None:
    result = invoked(*words, "--help", env={"COLUMNS": "200", "TERM": "dumb"})
    assert result.exit_code == 0
    assert "--json" in result.stdout
    assert "Usage: " in result.stdout


def test_the_brief_list_of_commands_is_complete() -> None:
    assert {words[0] for words in ALL} == {
        "serve", "migrate", "doctor", "openapi", "price", "demo", "partner", "agreement", "route", "matrix",
        "location", "tariff", "token", "station", "session", "cdr", "transaction", "reservation", "change",
        "audit", "operator", "invoice", "terminal", "payment", "booking", "site",
        "firmware", "campaign",
        "alert", "uptime", "template", "webhook", "oicp",
    }  # fmt: skip


def test_objects_from_files(shell: Shell) -> None:
    added = shell.ok("tariff", "add", shell.file("t.json", tariff("CT1")))
    assert added == {"id": "CT1", "owner": "DE*BSB", "created": True}
    assert shell.ok("tariff", "show", "CT1")["id"] == "CT1"
    assert shell.ok("tariff", "show", "DE*BSB/ct1")["id"] == "CT1"
    assert "CT1" in {item["id"] for item in shell.ok("tariff", "list")["items"]}
    imported = shell.ok("tariff", "import", shell.file("ts.json", {"data": [tariff("CT2"), tariff("CT1")]}))
    assert imported == {"created": 1, "updated": 1, "failed": []}
    assert shell.ok("location", "add", "-", stdin=json.dumps(location("CL1", evses=("CE1", "CE2"))))["created"] is True
    assert shell.ok("location", "show", "CL1")["id"] == "CL1"
    assert shell.ok("location", "list", "--limit", "1")["total"] >= 1
    removed = shell.ok("location", "remove-evse", "CL1", "CE2")
    assert [evse["status"] for evse in removed["evses"]] == ["AVAILABLE", "REMOVED"]
    assert shell.ok("token", "add", "0123456789", "--contract", "DE-BSB-C1")["created"] is True
    assert shell.ok("token", "show", "0123456789")["contract_id"] == "DE-BSB-C1"
    assert shell.ok("token", "import", shell.file("tk.json", [{"uid": "77", "contract_id": "C"}]))["created"] == 1
    assert shell.ok("token", "list")["total"] >= 2
    assert shell.ok("tariff", "delete", "CT2") == {"deleted": "DE*BSB/CT2"}


def test_tariffs_that_connectors_name_and_that_are_not_here_are_warned_of(shell: Shell) -> None:
    place = location("CW1", evses=("CW",))
    place["evses"][0]["connectors"][0]["tariff_ids"] = ["CWT"]
    path = shell.file("cw.json", place)
    warning = "tariff CWT is not here, but named by CW1/CW/1: charges there are held, and not billed"
    assert shell.ok("location", "add", path)["warnings"] == [warning]
    assert f"warning: {warning}" in shell.run("location", "add", path).err
    assert shell.ok("location", "import", path)["warnings"] == [warning]
    shell.ok("tariff", "add", shell.file("cwt.json", tariff("CWT")))
    assert "warnings" not in shell.ok("location", "add", path)
    assert f"warning: {warning}" in shell.run("tariff", "delete", "CWT").err
    shell.ok("tariff", "add", shell.file("cwt.json", tariff("CWT")))
    assert shell.ok("tariff", "delete", "CWT") == {"deleted": "DE*BSB/CWT", "warnings": [warning]}


def test_an_import_keeps_what_is_good_and_names_what_is_not(shell: Shell) -> None:
    foreign = {**location("CL8", evses=("CE8",)), "country_code": "NL", "party_id": "XXX"}
    path = shell.file("l.json", [location("CL7", evses=("CE7",)), {"id": "CL9"}, foreign])
    ran = shell.run("location", "import", path, "--json")
    assert ran.code == Code.FAILED
    assert ran.tree["created"] == 1
    assert [failure["id"] for failure in ran.tree["failed"]] == ["CL9", "CL8"]
    assert shell.run("location", "import", shell.file("f.json", [foreign]), "--as-ours", "--json").tree["created"] == 1


def test_an_import_reads_older_versions(shell: Shell) -> None:
    old = location("CL211", evses=("CE211",))
    del old["time_zone"], old["publish"]
    old["type"] = "ON_STREET"
    old["last_updated"] = "2026-01-01T00:00:00Z"
    for evse in old["evses"]:
        evse["last_updated"] = old["last_updated"]
        for connector in evse["connectors"]:
            connector["last_updated"] = old["last_updated"]
            connector.pop("tariff_ids")
            connector["voltage"], connector["amperage"] = connector.pop("max_voltage"), connector.pop("max_amperage")
    assert shell.ok("location", "import", shell.file("old.json", [old]), "--ocpi", "2.1.1")["failed"] == []
    shown = shell.ok("location", "show", "CL211")
    assert shown["evses"][0]["connectors"][0]["max_voltage"] == 230


def test_a_partner_from_invitation_to_farewell(shell: Shell) -> None:
    emsp, do = shell.background.emsp, shell.background.do
    invited = shell.ok("partner", "invite", "acme", "--role", "EMSP", "--party", "NL*EEE")
    do(emsp.register(invited["versions_url"], invited["token_a"]))
    assert [item["name"] for item in shell.ok("partner", "list")["items"]] == ["acme"]
    assert shell.ok("partner", "show", "acme")["state"] == "connected"
    assert set(shell.ok("partner", "pull", "acme", "--full")) == {"taken", "unchanged", "refused"}
    assert "waiting" in shell.ok("partner", "push", "acme")
    assert shell.ok("partner", "rotate", "acme")["state"] == "connected"
    assert shell.ok("partner", "refused", "acme") == {"items": [], "total": 0}
    assert shell.ok("partner", "losses", "acme")["total"] == 0
    assert shell.run("partner", "resend", "acme", "1").code == Code.NOT_FOUND
    while not {"DE*BSB", "NL*EEE"} <= {each["party"] for each in shell.ok("partner", "clients")["items"]}:
        time.sleep(0.05)  # they are written down a moment later
    assert "our own party" in shell.run("partner", "clients").out
    assert shell.ok("partner", "block", "acme")["state"] == "blocked"
    assert shell.ok("partner", "unblock", "acme")["state"] == "connected"
    assert shell.ok("partner", "unregister", "acme")["told"] is True
    versions_url, token = emsp.invite()
    connected = shell.ok("partner", "connect", "acme", "--versions-url", versions_url, "--token-a", token)
    assert connected["roles"][0]["role"] == "EMSP"
    assert shell.ok("partner", "unregister", "acme")["state"] == "unregistered"


def test_records_are_listed_and_shown(shell: Shell) -> None:
    shell.background.do(_furnished_charge(shell.house))
    for kind in ("session", "transaction", "reservation"):
        listed = shell.ok(kind, "list", "--station", "CP1", "--open", "--date-from", "2020-01-01T00:00:00Z")
        assert listed["items"] == [], kind
    assert shell.ok("session", "list", "--ended")["total"] == 1
    session = shell.ok("session", "list")["items"][0]
    assert shell.ok("session", "show", session["id"]) == session
    assert shell.ok("transaction", "show", session["id"])["session_id"] == session["id"]
    cdr = shell.ok("cdr", "list")["items"][0]["cdr"]
    assert shell.ok("cdr", "show", f"DE*BSB/{cdr['id']}")["cdr"] == cdr
    receipt = shell.ok("cdr", "receipt", cdr["id"])
    assert Decimal(receipt["figures"][-1]["before_taxes"]["rounded"]) == cdr["total_cost"]["before_taxes"]
    resent = shell.run("cdr", "resend", cdr["id"])
    assert (resent.code, "is not connected" in resent.err) == (Code.FAILED, True)
    credit = shell.ok("cdr", "credit", cdr["id"])
    assert credit["credit"] is True
    given_back = shell.ok("cdr", "receipt", credit["id"])
    assert given_back["credit_reference_id"] == cdr["id"]
    assert Decimal(given_back["figures"][-1]["before_taxes"]["rounded"]) == -cdr["total_cost"]["before_taxes"]
    page = shell.run("cdr", "receipt", cdr["id"])
    assert f"Receipt of CDR {cdr['id']}" in page.out
    assert shell.ok("change", "list", "--module", "cdrs")["last"] > 0
    assert shell.ok("audit", "list", "--limit", "3")["items"][-1]["seq"] > 1
    assert shell.ok("audit", "verify")["intact"] is True


def test_cdrs_of_another_cpo_are_checked_held_and_released(shell: Shell) -> None:
    shell.ok("partner", "invite", "cpo", "--role", "CPO", "--party", "BE*AAA")
    shell.ok("partner", "set", "cpo", "--cdr-policy", "hold")
    assert shell.ok("partner", "set", "cpo", "--cdr-tolerance", "0.02")["switches"] == {
        "cdr_policy": "hold",
        "cdr_tolerance": "0.02",
    }
    assert shell.run("partner", "set", "cpo", "--cdr-policy", "burn").code == Code.FAILED
    ours = {**HOURS["cdr_token"], "country_code": "DE", "party_id": "BSB"}
    wrong = but(HOURS, id="BAD", cdr_token=ours, total=("6.00", "7.20"), fixed=("1.00", "1.20"))
    for tree in (but(HOURS, cdr_token=ours), wrong):
        shell.background.do(_brought(shell.house, tree))
    assert {item["cdr"]["id"] for item in shell.ok("cdr", "list", "--received")["items"]} == {"BAD", "CDR1"}
    assert [item["cdr"]["id"] for item in shell.ok("cdr", "list", "--check", "wrong")["items"]] == ["BAD"]
    assert shell.ok("cdr", "check", "BE*AAA/CDR1")["verdict"] == "right"
    ran = shell.run("cdr", "check", "BE*AAA/BAD")
    assert ran.code == Code.FAILED
    assert "flat_per_period" in ran.out
    assert shell.ok("cdr", "list", "--held")["items"][0]["state"] == "held"
    assert shell.ok("cdr", "release", "BE*AAA/BAD")["state"] == "released"
    assert shell.run("cdr", "release", "BE*AAA/BAD").code == Code.FAILED
    assert shell.run("cdr", "check", "BE*AAA/NONE").code == Code.NOT_FOUND
    for name, why in (("BE*AAA/CDR1", "BE*AAA issued this CDR"), ("BE*AAA/NONE", "there is no such CDR")):
        ran = shell.run("cdr", "receipt", name)
        assert (ran.code, why in ran.err) == (Code.NOT_FOUND, True)


def test_a_cdr_that_cannot_be_checked_has_an_exit_code_of_its_own(shell: Shell) -> None:
    shell.background.do(_brought(shell.house, but(EVENING, id="EVE")))
    for options in ((), ("--json",)):
        ran = shell.run("cdr", "check", "BE*AAA/EVE", *options)
        assert (ran.code, "cannot_be_checked" in ran.out) == (Code.UNDECIDED, True)
        assert ran.err == "It cannot be said whether this CDR is right.\n"


async def _brought(house: House, tree: Any) -> None:
    """A CPO has sent a CDR, and its check was made."""
    hub = house.program.hub
    await received.take(hub, CDR.model_validate(tree), partner="cpo", version="2.3.0", original=tree)
    await vetting.vet_waiting(hub)


async def _furnished_charge(house: House) -> None:
    await _furnished_place(house)
    await house.charge()


async def _furnished_place(house: House) -> None:
    await house.ask("PUT", "/api/v1/tariffs/DE/BSB/T1", tariff())
    await house.ask("PUT", "/api/v1/locations/DE/BSB/LOC1", location())


def test_alerts_and_uptime_are_listed_and_decided_on(shell: Shell) -> None:
    assert shell.ok("alert", "list", "--open", "--station", "CP77", "--rule", "offline") == {"items": [], "total": 0}
    assert shell.run("alert", "ack", "none").code == Code.NOT_FOUND
    assert shell.ok("uptime", "show", "--evse", "E77", "--from", "2026-01-01T00:00:00Z")["percent"] is None
    assert shell.run("uptime", "show", "--from", "soon").code == Code.FAILED
    assert shell.ok("uptime", "outages", "--evse", "E77") == {"items": [], "total": 0}
    assert shell.run("uptime", "exclude", "none", "--reason", "the grid was down").code == Code.NOT_FOUND


def test_a_webhook_is_added_tested_switched_and_removed(shell: Shell) -> None:
    url = "http://127.0.0.1:9/hook"
    added = shell.ok("webhook", "add", url, "--rule", "offline", "--severity", "high", "--severity", "low")
    assert (added["signed"], added["rules"], added["severities"]) == (True, ["offline"], ["high", "low"])
    (shown,) = shell.ok("webhook", "list")["items"]
    assert (shown["id"], shown["url"], "secret" in shown) == (added["id"], url, False)
    assert shell.run("webhook", "list").code == Code.DONE
    tested = shell.run("webhook", "test", added["id"], "--json")
    assert (tested.code, tested.tree["error"]) == (Code.FAILED, "127.0.0.1: no connection")
    assert shell.ok("webhook", "disable", added["id"])["enabled"] is False
    assert shell.ok("webhook", "enable", added["id"])["enabled"] is True
    assert shell.ok("webhook", "remove", added["id"]) == {"deleted": added["id"]}
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    given = shell.ok("webhook", "add", url, "--secret-file", "-", stdin=f"{secret}\n")
    assert (given["signed"], "secret" in given) == (True, False)
    assert shell.ok("webhook", "remove", given["id"])["deleted"] == given["id"]
    assert shell.run("webhook", "add", url, "--secret-file", "none").code == Code.NOT_FOUND


def test_a_charger_is_registered_looked_at_and_called(shell: Shell) -> None:
    shell.background.do(_furnished_place(shell.house))
    added = shell.ok("station", "add", "CCP1", "--location", "LOC1", "--evse", "1=E1/1")
    assert added["password"]
    assert added["url"].endswith("/CCP1")
    ran = shell.run("station", "add", "CCP9", "--location", "LOC1", "--evse", "1=E1/1")
    assert ran.code == Code.FAILED
    assert "busbar station delete CCP1" in ran.err
    assert added["evses"] == {"1": {"evse_uid": "E1", "connectors": {"1": "1"}}}
    assert shell.ok("station", "add", "CCP1", "--file", shell.file("s.json", {"location": "LOC1"}))["evses"] == {}
    assert shell.ok("station", "list")["total"] == 1
    assert shell.ok("station", "show", "CCP1")["connected"] is False
    assert shell.ok("station", "messages", "CCP1") == {"items": []}
    called = shell.run("station", "call", "CCP1", "Reset", '{"type":"Soft"}')
    assert called.code == Code.NOT_FOUND
    assert "not connected" in called.err
    assert shell.run("station", "call", "CCP1", "Reset", "{").code == Code.USAGE
    assert shell.run("station", "call", "CCP1", "Reset", "[]").code == Code.USAGE
    assert shell.run("station", "add", "CCP1", "--evse", "E1").code == Code.USAGE
    assert shell.run("station", "password", "CCP1").code == Code.NOT_FOUND
    assert shell.ok("station", "variables", "CCP1", "--filter", "Rate") == {"items": [], "total": 0}
    assert shell.ok("station", "monitors", "CCP1") == {"items": [], "total": 0}
    assert shell.run("station", "variables", "CCP1", "--refresh").code == Code.NOT_FOUND
    assert shell.run("station", "set", "CCP1", "HeartbeatInterval=60").code == Code.NOT_FOUND
    assert shell.run("station", "set", "CCP1", "HeartbeatInterval").code == Code.USAGE
    watch = ("Cable.Temperature", "--type", "Delta", "--value", "1")
    assert shell.run("station", "monitor", "CCP1", *watch).code == Code.FAILED
    assert shell.run("station", "unmonitor", "CCP1", "1").code == Code.FAILED
    assert shell.run("station", "certificates", "CCP1").code == Code.NOT_FOUND
    assert shell.run("station", "certificates", "CCP1", "install").code == Code.USAGE
    assert shell.run("station", "certificates", "CCP1", "install", "/nowhere.pem").code == Code.NOT_FOUND
    assert shell.run("station", "certificates", "CCP1", "delete", "1F").code == Code.NOT_FOUND
    assert shell.ok("station", "report", "CCP1", "limits")["total"] == 0
    assert "not connected" in shell.run("station", "log", "CCP1", "--save", "here.log").err
    kept = shell.ok("station", "maintenance", "CCP1", "on", "--note", "new cable")
    assert kept["maintenance"]["note"] == "new cable"
    assert shell.ok("station", "maintenance", "CCP1", "off")["maintenance"] is None
    assert shell.ok("station", "delete", "CCP1") == {"deleted": "CCP1"}


def test_a_log_that_could_not_be_saved_is_not_asked_for(shell: Shell) -> None:
    shell.background.do(_furnished_place(shell.house))
    shell.ok("station", "add", "CCP4", "--location", "LOC1", "--evse", "1=E1/1")
    (shell.directory / "taken").mkdir()
    for save, code, why in (
        ("none/a.log", Code.NOT_FOUND, "there is no directory none"),
        ("taken", Code.USAGE, "is a directory"),
    ):
        ran = shell.run("station", "log", "CCP4", "--save", save)
        assert (ran.code, why in ran.err) == (code, True), ran
    assert shell.ok("station", "delete", "CCP4") == {"deleted": "CCP4"}


def test_what_is_not_given_of_a_charger_stays_as_it_was(shell: Shell) -> None:
    shell.background.do(_furnished_place(shell.house))
    added = shell.ok("station", "add", "CCP2", "--location", "LOC1", "--evse", "1=E1/1", "--ocpp", "2.1")
    assert added["protocol"] == "ocpp2.1"
    changed = shell.ok("station", "add", "CCP2", "--security-profile", "2")
    assert (changed["location"], changed["evses"]) == (added["location"], added["evses"])
    assert shell.ok("station", "add", "CCP2", "--evse", "1=E2/1")["security_profile"] == 2
    ran = shell.run("station", "add", "CCP3", "--security-profile", "2")
    assert ran.code == Code.USAGE
    assert "--location" in ran.err
    shell.ok("station", "delete", "CCP2")


def test_a_site_is_put_limited_measured_and_looked_at(shell: Shell) -> None:
    shell.background.do(_furnished_place(shell.house))
    in_an_hour = timestamp(datetime.now(UTC) + timedelta(hours=1))
    tree = {"nodes": {"grid": {"limit_a": 63}}, "evses": {"E1": {"node": "grid", "most_a": 32, "safe_a": 6}}}
    assert shell.ok("site", "put", "yard", shell.file("site.json", tree))["policy"] == "FAIR"
    assert shell.ok("site", "show", "yard")["evses"]["E1"]["safe_a"] == 6
    far = shell.run(
        "site", "limit", "yard", "--node", "grid", "--amps", "32,25,32.5", "--until", "2999-01-01T00:00:00Z"
    )
    assert (far.code, "within a year" in far.err) == (Code.FAILED, True)
    limited = shell.ok("site", "limit", "yard", "--node", "grid", "--watts", "11000", "--until", in_an_hour)
    assert [limit["limit_w"] for limit in limited["limits"]] == [11000]
    assert shell.ok("site", "limit", "yard", "--node", "grid")["limits"] == []
    assert shell.run("site", "limit", "yard", "--node", "grid", "--amps", "32").code == Code.USAGE
    loaded = shell.ok("site", "load", "yard", "--node", "grid", "--amps", "3,4.5,5")
    assert [load["load_a"] for load in loaded["loads"]] == [[3, 4.5, 5]]
    ran = shell.run("site", "list")
    assert (ran.code, "FAIR" in ran.out, "yard" in ran.out) == (0, True, True)
    assert {item["evse_uid"] for item in shell.ok("site", "power", "yard")["items"]} <= {"E1"}
    for wrong in ("3,4", "many"):
        assert shell.run("site", "load", "yard", "--node", "grid", "--amps", wrong).code == Code.USAGE
    assert shell.run("site", "power", "roof").code == Code.NOT_FOUND
    assert shell.ok("site", "delete", "yard") == {"deleted": "yard"}


def test_a_held_session_is_listed_and_billed(shell: Shell) -> None:
    shell.background.do(_furnished_place(shell.house))
    session_id = shell.background.do(shell.house.charge(kwh=2_147_483))
    assert [item["id"] for item in shell.ok("session", "list", "--held")["items"]] == [session_id]
    assert shell.run("session", "bill", session_id, "--kwh", "much").code == Code.USAGE
    for unclear in ((), ("--kwh", "12.5", "--as-metered")):
        ran = shell.run("session", "bill", session_id, *unclear)
        assert (ran.code, "--kwh X" in ran.err, "--as-metered" in ran.err) == (Code.USAGE, True, True)
    assert shell.ok("session", "bill", session_id, "--kwh", "12.5")["session_id"] == session_id
    assert shell.ok("session", "list", "--held")["items"] == []
    assert shell.ok("cdr", "list")["items"][0]["cdr"]["total_energy"] == 12.5
    assert shell.run("session", "bill", "none", "--as-metered").code == Code.NOT_FOUND


def test_held_charges_are_released_corrected_and_dropped(shell: Shell) -> None:
    shell.background.do(_furnished_place(shell.house))
    released, corrected, dropped = (shell.background.do(shell.house.charge(kwh=2_147_483)) for _ in range(3))
    assert len(shell.ok("transaction", "list", "--held")["items"]) == 3
    for shown in (("transaction", "list", "--held"), ("session", "list", "--held"), ("transaction", "show", released)):
        out = shell.run(*shown).out
        assert ("held_because" in out, "more energy" in out) == (True, True), shown
    assert shell.run("transaction", "correct", corrected).code == Code.USAGE
    assert shell.run("transaction", "correct", corrected, "--kwh", "much").code == Code.USAGE
    assert shell.run("transaction", "correct", corrected, "--kwh", "5", "--end", "soon").code == Code.FAILED
    assert shell.ok("transaction", "release", released)["session_id"] == released
    assert shell.ok("transaction", "correct", f"DE*BSB/{corrected}", "--kwh", "12.5")["decided"] == "corrected"
    assert shell.ok("transaction", "drop", dropped)["decided"] == "dropped"
    assert shell.ok("transaction", "list", "--held")["items"] == []
    assert shell.run("transaction", "drop", "none").code == Code.NOT_FOUND


def test_a_charge_is_credited_and_billed_anew(shell: Shell) -> None:
    shell.background.do(_furnished_place(shell.house))
    session_id = shell.background.do(shell.house.charge())
    ran = shell.run("transaction", "correct", session_id, "--kwh", "8")
    assert (ran.code, f"busbar cdr credit 'DE*BSB/{session_id}'" in ran.err) == (Code.FAILED, True)
    shell.ok("cdr", "credit", f"DE*BSB/{session_id}")
    assert shell.ok("transaction", "correct", session_id, "--kwh", "8")["decided"] == "corrected"
    cdrs = [item["cdr"] for item in shell.ok("cdr", "list", "--limit", "3")["items"]]
    assert [(cdr["total_energy"], "credit" in cdr) for cdr in cdrs] == [(8, False), (10, True), (10, False)]
    assert shell.run("transaction", "drop", session_id).code == Code.FAILED


def test_a_token_with_less_may_do_less(shell: Shell) -> None:
    viewer = shell.ok("operator", "token", "--role", "viewer", "--days", "1", "--subject", "jo")["token"]
    assert shell.run("partner", "list", token=viewer).code == 0
    ran = shell.run("partner", "invite", "x", "--role", "EMSP", "--party", "NL*XXX", token=viewer)
    assert ran.code == Code.NOT_ALLOWED
    assert "needs the role admin" in ran.err
    assert "busbar operator token" in ran.err


def test_who_is_nobody_is_told_what_to_do(shell: Shell) -> None:
    for token in ("wrong", ""):
        ran = shell.run("partner", "list", token=token)
        assert ran.code == Code.NOT_ALLOWED
        assert "--token or BUSBAR_OPERATOR_TOKEN" in ran.err
        assert ran.out == ""


def test_where_no_hub_answers_it_says_so(shell: Shell) -> None:
    ran = shell.run("partner", "list", url="http://127.0.0.1:1")
    assert (ran.code, ran.out) == (Code.UNREACHABLE, "")
    assert "busbar serve" in ran.err
    assert shell.run("partner", "list", url=shell.background.emsp.url).code == Code.UNREACHABLE


def test_what_is_not_there_has_its_own_code(shell: Shell) -> None:
    assert shell.run("partner", "show", "nobody").code == Code.NOT_FOUND
    assert shell.run("location", "show", "NOWHERE").code == Code.NOT_FOUND
    assert shell.run("location", "add", "no-such-file.json").code == Code.NOT_FOUND


@pytest.mark.parametrize(
    "words",
    [
        ("partner", "invite"),
        ("partner", "invite", "x", "--role", "BAKER", "--party", "NL*XXX"),
        ("partner", "invite", "x", "--role", "EMSP", "--party", "NL*XXXX"),
        ("partner", "invite", "x", "--role", "EMSP"),
        ("location", "list", "--limit", "0"),
        ("location", "import", "l.json", "--ocpi", "1.9"),
        ("serve", "--only", "everything"),
        ("serve", "--port", "70000"),
        ("nothing",),
        ("price",),
    ],
    ids=" ".join,
)
def test_wrong_usage_has_its_own_code(shell: Shell, words: tuple[str, ...]) -> None:
    shell.file("l.json", [location()])
    ran = shell.run(*words)
    assert (ran.code, ran.out) == (Code.USAGE, "")
    assert ran.err


def test_a_failure_under_json_is_json_on_standard_error(shell: Shell) -> None:
    ran = shell.run("partner", "show", "nobody", "--json")
    assert ran.out == ""
    assert json.loads(ran.err)["error"]["code"] == "not_found"


def test_people_get_tables_and_fields(shell: Shell) -> None:
    shell.ok("tariff", "add", shell.file("t.json", tariff("CT5")))
    listed = shell.run("tariff", "list")
    assert listed.out.splitlines()[0].split() == ["id", "currency", "type", "last_updated"]
    assert " of " in listed.err
    shown = shell.run("tariff", "show", "CT5")
    assert "currency: EUR" in shown.out
    assert "  - price_components:" in shown.out


def test_the_tokens_of_an_invitation_are_said_to_be_shown_once(shell: Shell) -> None:
    ran = shell.run("partner", "invite", "shown", "--role", "EMSP", "--party", "NL*SHN")
    assert "token_a: bb_" in ran.out
    assert "not shown again" in ran.err


def test_what_nobody_expected_is_one_sentence(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.cli.remote.Remote.get", lambda *_: 1 / 0)
    ran = shell.run("partner", "list")
    assert ran.code == Code.FAILED
    assert ran.err.splitlines()[0] == "busbar: ZeroDivisionError: division by zero"
    assert "Traceback" not in ran.err


def test_invoices_from_the_shell(shell: Shell) -> None:
    shell.ok("tariff", "add", shell.file("t.json", tariff("T1")))
    shell.ok("location", "add", shell.file("l.json", location("LOC1")))
    cdrs = [shell.background.do(shell.house.charge()) for _ in range(3)]
    made = shell.ok("invoice", "add", "--invoice", "2026/7", "--cdrs", f"{cdrs[0]}, {cdrs[1]}", "--id", "INV7")
    assert (made["record"]["cdrs"], made["check"]["agrees"]) == (cdrs[:2], True)
    assert shell.run("invoice", "add", "--invoice", "2026/8", "--cdrs", cdrs[0]).code == Code.FAILED
    corrected = shell.ok("invoice", "correct", "INV7", "--invoice", "2026/7", "--cdrs", cdrs[0], "--cdrs", cdrs[2])
    assert corrected["record"]["cdrs"] == [cdrs[0], cdrs[2]]
    assert shell.ok("invoice", "list")["items"][0]["record"]["id"] == "INV7"
    rule = shell.ok("invoice", "show", "INV7")["rule"]
    assert rule in ("no partner is NL*EEE", "acme is not connected"), "acme is there after some other tests"
    heads, line = shell.run("invoice", "list").out.splitlines()
    assert heads.split()[-2:] == ["audience", "rule"]
    assert line.endswith(f"NL*EEE    {rule}")
    assert shell.ok("invoice", "show", "INV7")["audience"] == "NL*EEE"
    assert shell.ok("invoice", "withdraw", "INV7") == {"deleted": "DE*BSB/INV7"}
    assert shell.run("invoice", "show", "INV7").code == Code.NOT_FOUND


def test_bookings_and_terminals_from_the_shell(shell: Shell) -> None:
    shell.ok("location", "add", shell.file("l.json", location("LOC1")))
    opened = {"id": "BL1", "location_id": "LOC1", "booking_option": {"evse_uid": "E1"}}
    assert shell.ok("booking", "open", shell.file("b.json", opened)) == {"id": "BL1", "created": True}
    assert shell.ok("booking", "places")["items"][0]["id"] == "BL1"
    assert shell.ok("booking", "list") == {"items": [], "total": 0}
    assert shell.run("booking", "show", "NONE").code == Code.NOT_FOUND
    assert shell.run("booking", "cancel", "NONE", "--reason", "FULL").code == Code.NOT_FOUND
    assert shell.run("booking", "edition", "nobody", "1.0").code == Code.NOT_FOUND
    assert shell.ok("terminal", "list") == {"items": [], "total": 0}
    for words in (("show",), ("assign", "--location", "LOC1"), ("deactivate",)):
        assert shell.run("terminal", words[0], "NL*PTP/T1", *words[1:]).code == Code.NOT_FOUND
    asked = shell.file("t.json", {"reference": "SN1", "location_ids": ["LOC1"]})
    assert shell.run("terminal", "activate", asked, "--provider", "NL*PTP").code == Code.FAILED
    assert shell.ok("payment", "list") == {"items": [], "total": 0}


def test_an_odd_tariff_is_kept_and_what_is_odd_is_said(shell: Shell) -> None:
    odd = tariff("ODD")
    odd["elements"] *= 2
    kept = shell.run("tariff", "add", shell.file("odd.json", odd))
    assert kept.code == 0
    assert kept.err.startswith("error: /elements/1 This element never prices anything")
    told = shell.ok("tariff", "add", shell.file("odd.json", odd))
    assert [each["code"] for each in told["findings"]] == ["unreachable_element"]
    linted = shell.run("tariff", "lint", "ODD", "--json")
    assert (linted.code, linted.tree["items"][0]["code"]) == (1, "unreachable_element")


def test_a_tariff_in_a_file_is_linted_without_a_hub(shell: Shell) -> None:
    nowhere = "http://127.0.0.1:1"
    good = shell.file("good.json", tariff())
    assert shell.run("tariff", "lint", good, url=nowhere).code == 0
    hints = shell.run("tariff", "lint", good, "--severity", "hint", url=nowhere)
    assert (hints.code, "[oicp_loses]" in hints.out) == (1, True)
    assert shell.run("tariff", "lint", good, "--severity", "hint", "--version", "2.3.0", url=nowhere).code == 0
    limited = json.dumps({**tariff(), "max_price": {"before_taxes": 4}}, default=float)
    assert shell.run("tariff", "lint", "-", stdin=limited, url=nowhere).code == 1
    assert shell.run("tariff", "lint", "-", "--version", "2.2.1", stdin=limited, url=nowhere).code == 0
    assert shell.run("tariff", "lint", "-", "--version", "9", stdin=limited, url=nowhere).code == 2
    assert shell.run("tariff", "lint", good, "--severity", "lethal", url=nowhere).code == 2
    assert shell.run("tariff", "lint", "no.json", url=nowhere).code == 3


def test_a_file_that_is_not_there_is_not_found_whoever_asks_for_it(shell: Shell, tmp_path: Path) -> None:
    gone = str(tmp_path / "nope.json")
    for words in (["tariff", "lint", gone], ["tariff", "add", gone], ["price", gone], ["price", "--batch", gone],
                  ["price", "--cdr", gone], ["location", "import", gone]):  # fmt: skip
        ran = shell.run(*words)
        assert (ran.code, "nope.json" in ran.err) == (3, True), words


UNTAXED: dict[str, Any] = {
    "id": "T1",
    "currency": "EUR",
    "elements": [{"price_components": [{"type": "ENERGY", "price": 0.5, "step_size": 1}]}],
}


@pytest.mark.parametrize("said", [["--ocpi", "2.1.1"], ["--version", "2.1.1"], ["--ocpi", "2.2.1"]])
def test_a_tariff_of_a_version_that_has_no_taxes_misses_none(shell: Shell, tmp_path: Path, said: list[str]) -> None:
    path = tmp_path / "untaxed.json"
    path.write_text(json.dumps(UNTAXED))
    assert (ran := shell.run("tariff", "lint", str(path), *said)).code == 0, ran


def test_a_condition_on_power_is_hinted_at_where_cdrs_state_none(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "power.json"
    slow = {**UNTAXED["elements"][0], "restrictions": {"max_power": 11}}
    path.write_text(json.dumps({**UNTAXED, "elements": [slow, *UNTAXED["elements"]]}))
    for said in (["--ocpi", "2.1.1", "--version", "2.1.1"], ["--version", "2.1.1"]):
        assert shell.run("tariff", "lint", str(path), *said).code == 0
        hints = shell.run("tariff", "lint", str(path), *said, "--severity", "hint", "--json").tree["items"]
        assert [(each["code"], each["pointer"]) for each in hints] == [
            ("power_not_in_cdrs", "/elements/0/restrictions/max_power")
        ]


def test_agreements_and_what_they_make_of_a_message(shell: Shell) -> None:
    shell.ok("partner", "invite", "roamer", "--role", "EMSP", "--party", "NL*RMR", "--as", "DE*BSB")
    assert shell.ok("partner", "show", "roamer")["represents"] == "DE*BSB"
    made = shell.ok("agreement", "deny", "--viewer", "roamer", "--owner", "BE*AAA", "--module", "locations")
    assert (made["allow"], made["created"]) == (False, True)
    told = shell.run("agreement", "deny", "--viewer", "raomer")
    assert (told.code, "--viewer: there is no partner raomer (is it roamer?)" in told.err) == (Code.FAILED, True), (
        told.err
    )
    told = shell.run("agreement", "deny", "--viewer", "later", "--owner", "BE*ZZZ", "--ahead")
    assert (told.code, told.err.count("warning: ")) == (0, 2), told.err
    shell.ok("agreement", "remove", "--viewer", "later", "--owner", "BE*ZZZ")
    assert shell.ok("agreement", "allow", "--viewer", "roamer")["allow"] is True
    assert [rule["module"] for rule in shell.ok("agreement", "list")["items"]] == ["locations", "*"]
    told = shell.run("route", "explain", "roamer", "commands", "--method", "post", "--to", "XX*XXX")
    assert (told.code, "nowhere" in told.out + told.err) == (0, True)
    assert shell.ok("route", "explain", "roamer", "locations", "--method", "GET")["goes"] == "everybody"
    shell.ok("agreement", "deny", "--viewer", "roamer", "--owner", "BE*NWH", "--module", "commands")
    told = shell.run("route", "explain", "roamer", "commands", "--method", "POST", "--to", "BE*NWH")
    said = "nowhere: this connection stands for DE*BSB alone; its sender is told 4001: "
    assert (told.code, said in told.err, "0 of 0" in told.err) == (0, True, False), told.err
    shell.ok("agreement", "remove", "--viewer", "roamer", "--owner", "BE*NWH", "--module", "commands")
    shell.ok("partner", "invite", "brings", "--role", "CPO", "--party", "BE*BRG")
    for asked, named in (
        (("brings", "sessions"), "--owner: "),
        (("roamer", "sessions", "--to", "BEAAAX"), "--to: "),
        (("roamer", "nonsense"), "MODULE: "),
        (("roamer", "cdrs", "--method", "put"), "--method: "),
        (("roamer", "cdrs", "--method", "paste"), "--method: "),
    ):
        wrong = shell.run("route", "explain", *asked)
        assert (wrong.code, named in wrong.err, f"/{named}" in wrong.err) == (Code.FAILED, True, False), wrong.err
    shell.ok("agreement", "remove", "--viewer", "roamer", "--owner", "BE*AAA", "--module", "locations")
    shell.ok("agreement", "remove", "--viewer", "roamer")
    assert shell.run("agreement", "remove", "--viewer", "roamer").code == Code.NOT_FOUND


def test_two_partners_are_held_against_each_other_before_they_are_live(shell: Shell) -> None:
    told = shell.ok("matrix", "2.3.0:CPO", "2.1.1:EMSP")
    assert (told["a"]["roles"], told["b"]["version"]) == (["CPO"], "2.1.1")
    shown = shell.run("matrix", "2.3.0:CPO", "2.1.1:EMSP")
    assert shown.code == 0
    assert "OCPI 2.1.1 has no such thing" in shown.out
    assert "/help_phone" in shown.out
    assert "use cases are possible" in shown.err
    alike = shell.run("matrix", "2.3.0:CPO", "2.3.0:EMSP")
    assert (alike.out, "Nothing is lost" in alike.err) == ("", True)
    assert "Keep a location" in shell.run("matrix", "2.2.1:CPO", "2.2.1:EMSP", "--all").out
    assert shell.run("matrix", "2.2.1:CPO", "nobody").code == Code.NOT_FOUND
    assert shell.run("matrix", "2.2.1:CPO", "2.2.1:KING").code == Code.FAILED


def test_a_partner_of_oicp_is_connected_with_certificates_on_both_sides(shell: Shell) -> None:
    authority = Authority(shell.directory)
    theirs = authority.identity("emp")
    asked = shell.run("oicp", "csr", "qa", "--common-name", "hub.example", "--country", "DE")
    assert (asked.code, "BEGIN CERTIFICATE REQUEST" in asked.out, "busbar oicp certificate qa" in asked.err) == (
        *(0, True, True),
    )
    issued = shell.directory / "issued.pem"
    issued.write_text(authority.sign(asked.out))
    assert shell.ok("oicp", "certificate", "qa", str(issued))["in_use"] is True
    more = shell.file("more.json", {"limits": {"PullEvseData": 10}})
    words = ["--kind", "emp", "--provider", "DE-DCB", "--base-url", "https://emp.example", "--set", more]
    made = shell.ok(
        *("oicp", "connect", "dcb", *words, "--certificate", str(theirs.chain_file), "--client-certificate", "qa"),
        *("--server-ca", str(authority.file)),
    )
    assert (made["state"], made["fingerprints"], made["limits"]) == (
        "connected",
        [theirs.fingerprint],
        {"PullEvseData": 10},
    )
    assert shell.ok("oicp", "show", "dcb") == made
    assert made["server_ca"] == authority.pem
    for words_of in (("show", "dcb"), ("certificate", "qa")):
        read = shell.run("oicp", *words_of)
        assert (read.code, "BEGIN CERTIFICATE" in read.out, "CN=Test CA" in read.out) == (0, False, True)
        assert all(len(line) < 200 for line in read.out.splitlines())
    [read_by_people] = made["server_authorities"]
    assert read_by_people["fingerprint"] == authority.certificate.fingerprint(hashes.SHA256()).hex()
    assert (read_by_people["subject"], read_by_people["issuer"]) == ("CN=Test CA", "CN=Test CA")
    assert read_by_people["ends_soon"] is False
    assert read_by_people["fingerprint"] in shell.run("oicp", "show", "dcb").out
    assert [each["name"] for each in shell.ok("oicp", "list")["items"]] == ["dcb"]
    assert shell.ok("oicp", "certificate", "qa")["shown_to"] == ["dcb"]
    assert shell.ok("oicp", "charges", "--record", "held") == {"items": [], "total": 0}
    assert shell.run("oicp", "charge", "b2688855-7f00-0002-6d8e-48d883f6abb6").code == Code.NOT_FOUND
    assert [each["name"] for each in shell.ok("oicp", "certificate")["items"]] == ["qa"]
    assert shell.run("oicp", "certificate", "qa", "--remove").code == Code.FAILED
    assert shell.ok("oicp", "disconnect", "dcb") == {"deleted": "dcb"}
    assert shell.ok("oicp", "certificate", "qa", "--remove") == {"deleted": "qa"}
    assert shell.run("oicp", "show", "dcb").code == Code.NOT_FOUND
    assert shell.run("oicp", "connect", "dcb", *words[:4], "--certificate", "nowhere.pem").code == Code.NOT_FOUND
    assert shell.run("oicp", "connect", "dcb", *words[:4], "--set", str(issued)).code == Code.USAGE
    assert shell.run("oicp", "certificate", "qa", "x", "--remove").code == Code.USAGE
