"""Settings: from the environment, checked, each with its description."""

import stat
from pathlib import Path

import pytest
from pydantic import ValidationError

from hub.core.parties import Party
from hub.core.settings import Settings, load_or_create_secret


@pytest.fixture(autouse=True)
def _empty_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_every_setting_says_what_it_changes() -> None:
    assert [name for name, field in Settings.model_fields.items() if not (field.description or "").endswith(".")] == []


def test_the_environment_and_the_file_set_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUSBAR_ALLOW_NETWORKS", "10.0.0.0/8, 192.168.1.0/24")
    monkeypatch.setenv("BUSBAR_PARTY", "nl-abc")
    (tmp_path / ".env").write_text("BUSBAR_PORT=9999\n")
    settings = Settings()
    assert settings.reachable_networks == ("10.0.0.0/8", "192.168.1.0/24")
    assert settings.own_party == Party("NL", "ABC")
    assert settings.base_url == "http://127.0.0.1:9999"


def test_development_opens_the_loopback_and_nothing_else() -> None:
    assert Settings().reachable_networks == ()
    assert Settings(dev=True).reachable_networks == ("127.0.0.0/8", "::1/128")


@pytest.mark.parametrize(
    "wrong",
    [
        {"public_url": "hub.example"},
        {"public_url": "https://hub.example/?a=1"},
        {"ocpp_public_url": "https://hub.example"},
        {"secret_key": "short"},
        {"party": "DEU*ABC"},
        {"page_default": 501},
        {"port": 70_000},
        {"authorize_timeout_s": 0},
    ],
)
def test_what_makes_no_sense_stops_the_start(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(wrong)


def test_the_public_url_has_no_slash_at_its_end() -> None:
    assert Settings(public_url="https://hub.example/a/").base_url == "https://hub.example/a"


@pytest.mark.parametrize(
    ("given", "plain", "secure"),
    [
        ({}, "ws://127.0.0.1:9000", "wss://127.0.0.1:9443"),
        ({"host": "::1", "ocpp_port": 9001}, "ws://[::1]:9001", "wss://[::1]:9443"),
        ({"public_url": "https://hub.example/a"}, "ws://hub.example:9000", "wss://hub.example:9443"),
        ({"ocpp_public_url": "wss://cp.example/ocpp/"}, "wss://cp.example/ocpp", "wss://cp.example/ocpp"),
    ],
)
def test_chargers_are_told_the_address_that_they_can_call(given: dict[str, object], plain: str, secure: str) -> None:
    settings = Settings.model_validate(given)
    assert (settings.chargers_url(secure=False), settings.chargers_url(secure=True)) == (plain, secure)


def test_no_secret_shows_when_settings_are_printed() -> None:
    assert "canary" not in repr(Settings.model_validate({"operator_token": "canary", "secret_key": "canary" * 9}))


def test_the_first_start_makes_a_key_that_only_the_owner_reads_and_the_second_finds_it(
    tmp_path: Path,
) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/hub.db")
    key = load_or_create_secret(settings)
    assert len(key) >= 32
    assert load_or_create_secret(settings) == key
    assert [path.name for path in tmp_path.iterdir()] == ["hub.db.key"]
    assert stat.S_IMODE((tmp_path / "hub.db.key").stat().st_mode) == 0o600


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hub.db.key").write_text("k" * 40)
    (tmp_path / "hub.db.key").chmod(0o644)
    with pytest.raises(ValueError, match="0600"):
        load_or_create_secret(Settings(database_url=f"sqlite:///{tmp_path}/hub.db"))


def test_a_database_server_needs_a_key_that_all_processes_share() -> None:
    with pytest.raises(ValueError, match="BUSBAR_SECRET_KEY"):
        load_or_create_secret(Settings(database_url="postgresql://db/busbar"))
    given = Settings.model_validate({"database_url": "postgresql://db/busbar", "secret_key": "k" * 32})
    assert load_or_create_secret(given) == b"k" * 32
