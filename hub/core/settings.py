"""Every setting of Busbar: its unit, its default, and one line on what it changes.

Each is read from the environment as BUSBAR_<NAME> or from a file `.env` in the working directory; the command
line sets the common ones. A test compares this class with the README.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from hub.core.errors import InvalidRequest
from hub.core.parties import Party

KIB: Final = 1024
MIB: Final = 1024 * KIB
LOOPBACK: Final = ("127.0.0.0/8", "::1/128")

Texts = Annotated[tuple[str, ...], NoDecode]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Bytes = Annotated[int, Field(ge=KIB, le=64 * MIB)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]


class Settings(BaseSettings):
    """What an operator may change."""

    model_config = SettingsConfigDict(env_prefix="BUSBAR_", env_file=".env", extra="ignore", frozen=True)

    host: str = Field("127.0.0.1", description="Address that the HTTP and the OCPP listener bind to.")
    port: int = Field(8000, ge=0, le=65_535, description="TCP port of OCPI, OICP, management API and console.")
    ocpp_port: int = Field(9000, ge=0, le=65_535, description="TCP port of the chargers' websockets.")
    database_url: str = Field(
        "sqlite:///busbar.db", description="Where facts are kept: sqlite:///file.db or postgresql://..."
    )
    public_url: str = Field(
        "", description="Base URL that partners see in every link we give; empty means http://host:port."
    )
    ocpp_public_url: str = Field(
        "",
        description="Base URL that chargers are to call, as in wss://ocpp.example.com; empty means the host of "
        "public_url with ocpp_port, or ocpp_tls_port for security profiles 2 and 3.",
    )
    party: str = Field("DE*BSB", description="Our own party: country code and party id of our roles.")
    hub_party: str = Field("", description="Party of the hub itself, for broadcasts; empty means the own party.")
    sharing: Literal["open", "closed"] = Field(
        "open",
        description="Who sees whose objects where no agreement says so: opposite roles each other, or nobody.",
    )
    business_name: str = Field("Busbar", max_length=100, description="Name in our business_details.")
    currency: str = Field(
        "EUR", pattern=r"^[A-Z]{3}$", description="Currency of sessions at a connector without a tariff."
    )
    dev: bool = Field(False, description="Development: partners on loopback are allowed, logs are for eyes.")
    secret_key: SecretStr | None = Field(
        None,
        description="Key (32 or more characters) that hashes and seals tokens; without it a file is made"
        " beside the SQLite database at the first start.",
    )
    operator_token: SecretStr | None = Field(
        None, description="Bearer token of the management API; without it the first start prints a new one."
    )
    allow_networks: Texts = Field(
        (),
        description="Networks (CIDR, comma-separated) where partners may live although they are not public.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="The least severe event that is logged."
    )

    cdr_tolerance: Decimal = Field(
        Decimal("0.01"),
        ge=0,
        le=1000,
        description="What each amount of a received CDR, and all tax of one rate in it, may differ by, of a credit CDR"
        " from what it takes back; a hundred times that where there are no cents.",
    )
    page_default: Count = Field(50, description="Objects per page when a partner asks for no limit.")
    page_max: Count = Field(500, description="Objects per page at most (X-Limit).")
    rate_per_partner: Count = Field(50, description="Requests per second that a partner may make for long.")
    burst_per_partner: Count = Field(200, description="Requests that a partner may make at once.")
    failed_logins_per_min: Count = Field(
        20,
        description="Failed authentications per minute and address; of chargers, per address and charger. What is"
        " beyond is refused with 429, at no cost; the right password of a charger passes all the same, so against"
        " guessing a password must be long, as those that are made here are.",
    )
    token_overlap_min: int = Field(
        15,
        ge=0,
        le=10_080,
        description="Minutes for which a rotated token still works, until the new one is seen.",
    )

    relay_timeout_s: Seconds = Field(
        10.0, description="Seconds that a partner has to answer a request that we pass on to it."
    )
    authorize_timeout_s: Seconds = Field(
        2.0, description="Seconds that an eMSP has to answer a real-time authorization."
    )
    authorize_hub_timeout_s: float = Field(
        8.0,
        gt=0,
        le=20,
        description="Seconds that another hub has for it, which asks eMSPs itself; a charger gives up after about 30.",
    )
    ask_unknown_tokens: Literal["none", "probable", "listless", "all"] = Field(
        "probable",
        description="Who is asked for a card on no list: nobody, its probable owner, the eMSPs without a list, or all.",
    )
    command_timeout_s: Seconds = Field(30.0, description="Seconds that a charger has to act on a command.")
    profile_interval_s: float = Field(
        60.0, ge=0, le=86_400, description="Seconds between two charging profiles of a session; sooner is TOO_OFTEN."
    )
    outbound_connect_timeout_s: Seconds = Field(5.0, description="Seconds to reach a partner's server.")
    outbound_timeout_s: Seconds = Field(30.0, description="Seconds for one whole exchange with a partner.")
    outbound_object_cap: Bytes = Field(1 * MIB, description="Bytes that we read of a partner's answer.")
    outbound_page_cap: Bytes = Field(10 * MIB, description="Bytes that we read of a partner's page of objects.")
    lane_first_s: Seconds = Field(5.0, description="Seconds before the second try at a partner that fails.")
    lane_cap_s: Seconds = Field(900.0, description="Seconds between tries at most; the wait doubles up to it.")
    lane_jitter_low: float = Field(0.8, ge=0.1, le=1, description="Least factor on each wait of a lane.")
    lane_jitter_high: float = Field(1.4, ge=1, le=10, description="Largest factor on each wait of a lane.")

    pull_every_s: Seconds = Field(86_400.0, description="Seconds between two pulls of a partner's changes.")
    pull_check_s: Seconds = Field(5.0, description="Seconds between looks at whose pull is due.")
    alive_after_s: Seconds = Field(
        300.0, description="Seconds without a word from a partner after which it is asked for its versions."
    )

    heartbeat_interval_s: int = Field(
        300,
        ge=10,
        le=86_400,
        description="Seconds between heartbeats, told to a charger in BootNotification, up to a tenth more or less for "
        "each, so that not all come at once.",
    )
    ocpp_frame_16: Bytes = Field(256 * KIB, description="Bytes in one frame of an OCPP 1.6 charger.")
    ocpp_frame_2: Bytes = Field(1 * MIB, description="Bytes in one frame of an OCPP 2.0.1 or 2.1 charger.")
    ocpp_frames_per_s: Count = Field(
        20, description="Frames per second that a charger may send for long; each 4 KiB of a frame count as one more."
    )
    ocpp_frames_burst: Count = Field(100, description="Frames that a charger may send at once, counted alike.")
    ocpp_ping_s: Seconds = Field(30.0, description="Seconds between websocket pings; two missed close it.")
    offline_grace_s: Seconds = Field(
        300.0, description="Seconds without a connection after which a charger's EVSEs are shown as UNKNOWN."
    )
    ocpp_settle_s: float = Field(
        5.0, ge=0, le=3600, description="Seconds after a charger connected or booted before we ask it anything."
    )
    ocpp_status_debounce_s: float = Field(
        2.0,
        ge=0,
        le=60,
        description="Seconds that an EVSE's new OCPI status must stand before partners hear of it.",
    )
    ocpp_security_profile: int = Field(
        1, ge=0, le=3, description="OCPP security profile of a station whose registration names none."
    )
    ocpp_handshakes: Count = Field(100, description="Chargers that may log in at the same time; others wait.")
    ocpp_compression: bool = Field(
        False,
        description="Offer permessage-deflate (without context takeover) to chargers of 1.6 whose switch says nothing;"
        " those of 2.x are always offered it, unless their switch says no.",
    )
    ocpp_frames_kept: int = Field(
        50, ge=0, le=10_000, description="Frames per charger that the message log keeps, in memory."
    )
    alert_look_s: Seconds = Field(5.0, description="Seconds between two looks at all chargers for what is wrong.")
    alert_offline_s: Seconds = Field(900.0, description="Seconds without a connection after which an alert opens.")
    alert_faulted_s: Seconds = Field(60.0, description="Seconds that an EVSE must be Faulted before an alert opens.")
    alert_no_progress_s: Seconds = Field(
        1800.0, description="Seconds without progress of the meter of a charging car after which an alert opens."
    )
    alert_stuck_s: float = Field(
        172_800.0, gt=0, le=2_592_000, description="Seconds of one charge from which on an alert opens."
    )
    alert_clock_s: Seconds = Field(60.0, description="Seconds that a charger's clock may be wrong without an alert.")
    alert_held_s: float = Field(
        86_400.0,
        gt=0,
        le=31_536_000,
        description="Seconds that a charge or CDR may be held before an alert opens.",
    )
    alert_lane_s: float = Field(
        3600.0,
        gt=0,
        le=2_592_000,
        description="Seconds that something may wait for a partner or webhook before an alert opens.",
    )
    alert_certificate_days: int = Field(
        30,
        ge=1,
        le=365,
        description="Days before the end of a certificate of OICP from which on an alert is open; in the last week"
        " there is another one.",
    )
    history_days: int = Field(
        400,
        ge=31,
        le=36_500,
        description="Days that alerts are kept once closed, outages once over, received tariffs once changed or"
        " withdrawn, and what is withdrawn for a partner that an agreement denies it.",
    )
    change_log_days: int = Field(
        30,
        ge=1,
        le=36_500,
        description="Days that the change log is kept; what a partner or webhook has still to hear of stays longer.",
    )
    alert_commissioning_s: float = Field(
        604_800.0,
        gt=0,
        le=31_536_000,
        description="Seconds after which an alert opens for a charger that is still on its way into service; until it"
        " is in service no other does.",
    )
    alert_clear_s: Seconds = Field(60.0, description="Seconds that a fault must be over before its alert closes.")
    ocpp_events_days: int = Field(
        90,
        ge=1,
        le=36_500,
        description="Days that messages of chargers about charges are kept as evidence; those of a charge that goes on,"
        " or waits for an operator, stay longer.",
    )
    ocpp_late_stop_s: float = Field(
        120.0,
        ge=0,
        le=86_400,
        description="Seconds without a word for which a charge that seems over waits for its stop; then its end is"
        " estimated and billed.",
    )
    ocpp_one_charge_per_token: bool = Field(
        False, description="Refuse (ConcurrentTx) a token that is charging at one of our chargers already."
    )
    ocpp_tls_port: int = Field(
        9443, ge=0, le=65_535, description="TCP port of the chargers' websockets over TLS; served with a certificate."
    )
    ocpp_tls_cert: str = Field(
        "", description="PEM file: certificate chain of the chargers' TLS listener; empty: none."
    )
    ocpp_tls_key: str = Field("", description="PEM file: private key of ocpp_tls_cert.")
    ocpp_client_ca: str = Field(
        "", description="PEM file: authorities whose client certificates chargers of security profile 3 may show."
    )
    ocpp_ca_cert: str = Field(
        "", description="PEM file: authority that signs chargers' certificates; empty: nobody does."
    )
    ocpp_ca_key: str = Field("", description="PEM file: private key of ocpp_ca_cert.")
    contract_ocsp: bool = Field(
        False, description="Ask the OCSP responders that chargers of 2.x name whether a certificate was revoked."
    )
    contract_cas: str = Field(
        "", description="PEM file: issuers of contracts, whose OCSP answers need not bring their certificates."
    )
    contract_service_url: str = Field(
        "", description="Service that gives cars the certificates of their contracts (ISO 15118); empty: none."
    )
    contract_service_token: SecretStr | None = Field(
        None, description="Bearer token for contract_service_url; nothing: none is sent."
    )
    contract_timeout_s: Seconds = Field(5.0, description="Seconds for an OCSP responder, or the contract service.")

    oicp_port: int = Field(
        0, ge=0, le=65_535, description="TCP port on which OICP partners call us over TLS; 0: none is opened."
    )
    oicp_certificate: str = Field("", description="PEM file: certificate chain of the OICP port.")
    oicp_key: str = Field("", description="PEM file: private key of oicp_certificate.")
    oicp_client_ca: str = Field(
        "",
        description="PEM file: authorities whose client certificates OICP partners may show; those that were given"
        " with a connection are taken without.",
    )
    oicp_proxies: Texts = Field(
        (),
        description="Networks (CIDR, comma-separated) of proxies that end the TLS of OICP partners and call below"
        " /oicp on port; empty: nobody is served there.",
    )
    oicp_certificate_header: str = Field(
        "X-Client-Cert",
        pattern=r"^[A-Za-z0-9-]{1,64}$",
        description="Header in which these proxies tell the client certificate: percent-encoded PEM, or Base64.",
    )
    oicp_begin_within_s: Seconds = Field(
        1800.0,
        description="Seconds within which a charge must be told that a partner of OICP allowed or ordered; then its"
        " session is over.",
    )

    files: str = Field(
        "",
        description="Directory of firmware and of chargers' logs, the same for all processes; empty means beside the"
        " SQLite database.",
    )
    files_url: str = Field("", description="Base URL at which chargers fetch and bring files; empty means public_url.")
    files_plain_url: str = Field(
        "",
        description="The same for chargers of security profiles 0 and 1, as in http://files.example.com, where they"
        " cannot do TLS; empty means files_url.",
    )
    files_link_s: Seconds = Field(86_400.0, description="Seconds for which a link to a file works.")
    firmware_bytes: int = Field(512 * MIB, ge=KIB, le=16 * 1024 * MIB, description="Bytes in one firmware file.")
    log_bytes: int = Field(
        64 * MIB, ge=KIB, le=16 * 1024 * MIB, description="Bytes that a charger may bring as one log."
    )

    @field_validator("allow_networks", "oicp_proxies", mode="before")
    @classmethod
    def _from_commas(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("oicp_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            ip_network(network)
        return value

    @field_validator("party", "hub_party")
    @classmethod
    def _a_party(cls, value: str, info: ValidationInfo) -> str:
        try:
            return str(Party.parse(value)) if value or info.field_name == "party" else ""
        except InvalidRequest as error:
            raise ValueError(error.message) from error

    @field_validator("public_url", "files_url", "files_plain_url")
    @classmethod
    def _a_base_url(cls, value: str, info: ValidationInfo) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment):
            raise ValueError(f"{info.field_name} is http(s)://host[:port][/path]")
        return value.rstrip("/")

    @field_validator("ocpp_public_url")
    @classmethod
    def _a_websocket_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("ws", "wss") or not parts.netloc or parts.query or parts.fragment):
            raise ValueError("ocpp_public_url is ws(s)://host[:port][/path]")
        return value.rstrip("/")

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value().encode()) < 32:
            raise ValueError("secret_key needs 32 or more characters")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.page_default > self.page_max:
            raise ValueError("page_default is larger than page_max")
        if self.oicp_port and not self.oicp_certificate:
            raise ValueError("oicp_port needs oicp_certificate")
        return self

    @property
    def own_party(self) -> Party:
        """`party`, parsed."""
        return Party.parse(self.party)

    @property
    def hub(self) -> str:
        """Who the hub itself is, for broadcasts."""
        return self.hub_party or self.party

    @property
    def own_parties(self) -> tuple[str, str]:
        """Whom we answer for ourselves."""
        return self.party, self.hub

    @property
    def base_url(self) -> str:
        """`public_url`, or what it is by default; without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    def chargers_url(self, *, secure: bool) -> str:
        """What chargers are to call, without their identity and the slash before it; `secure` is over TLS."""
        host = urlsplit(self.base_url).hostname or self.host
        host = f"[{host}]" if ":" in host else host
        default = f"wss://{host}:{self.ocpp_tls_port}" if secure else f"ws://{host}:{self.ocpp_port}"
        return self.ocpp_public_url or default

    def files_base(self, *, secure: bool) -> str:
        """Where chargers fetch and bring files, without a slash at its end; not `secure`: perhaps without TLS."""
        usual = self.files_url or self.base_url
        return usual if secure else self.files_plain_url or usual

    @property
    def files_directory(self) -> Path | None:
        """`files`, or what it is by default; None where that cannot be said."""
        if self.files:
            return Path(self.files)
        if not self.database_url.startswith("sqlite:///"):
            return None
        return Path(self.database_url.removeprefix("sqlite:///") + ".files")

    @property
    def serves_several_processes(self) -> bool:
        """May there be other processes of this hub?"""
        return not self.database_url.startswith("sqlite:")

    @property
    def reachable_networks(self) -> tuple[str, ...]:
        """`allow_networks`, and in development the loopback."""
        return (*self.allow_networks, *LOOPBACK) if self.dev else self.allow_networks


def load_or_create_secret(settings: Settings) -> bytes:
    """The key under everything hashed and sealed: the setting, or the file `<database>.key`, made with mode
    0600.

    Raises: ValueError, with a database server and no `secret_key` (processes on several machines would each
    make their own), or when the file is readable by others.
    """
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    if not settings.database_url.startswith("sqlite:///"):
        raise ValueError("BUSBAR_SECRET_KEY must be set when the database is a server")
    path = Path(settings.database_url.removeprefix("sqlite:///") + ".key")
    with contextlib.suppress(FileExistsError):
        _create(path)
    if path.stat().st_mode & 0o077:
        raise ValueError(f"{path} can be read by others; make it 0600")
    secret = path.read_bytes().strip()
    if len(secret) < 32:
        raise ValueError(f"{path} holds no key of 32 or more characters")
    return secret


def _create(path: Path) -> None:
    """Written whole beside it, then linked: two starts at once agree on one key; nobody reads half of it."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    finally:
        draft.unlink()
