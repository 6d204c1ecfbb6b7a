"""The configuration keys of the charge point. OCPP 1.6 section 9, and the security white paper."""

from __future__ import annotations

from dataclasses import dataclass

_PROFILES = "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger"
_SAMPLED = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC"


@dataclass
class _Key:
    value: str
    readonly: bool = False
    hidden: bool = False
    reboots: bool = False

    def accepts(self, value: str) -> bool:
        """A number stays a number, a boolean a boolean."""
        if self.value.isdecimal():
            return value.isdecimal()
        return value in ("true", "false") if self.value in ("true", "false") else True


class Settings:
    """Keys by name. `AuthorizationKey` can be written, never read."""

    def __init__(self, connectors: int) -> None:
        self._keys = {
            "AllowOfflineTxForUnknownId": _Key("true"),
            "AuthorizationKey": _Key("", hidden=True),
            "AuthorizeRemoteTxRequests": _Key("false"),
            "ChargeProfileMaxStackLevel": _Key("10", readonly=True),
            "ChargingScheduleAllowedChargingRateUnit": _Key("Current,Power", readonly=True),
            "ChargingScheduleMaxPeriods": _Key("24", readonly=True),
            "ClockAlignedDataInterval": _Key("0"),
            "ConnectionTimeOut": _Key("60"),
            "ConnectorPhaseRotation": _Key("NotApplicable"),
            "CpoName": _Key("Busbar"),
            "GetConfigurationMaxKeys": _Key("50", readonly=True),
            "HeartbeatInterval": _Key("300"),
            "LocalAuthListEnabled": _Key("true"),
            "LocalAuthListMaxLength": _Key("1000", readonly=True),
            "LocalAuthorizeOffline": _Key("true"),
            "LocalPreAuthorize": _Key("false"),
            "MaxChargingProfilesInstalled": _Key("10", readonly=True),
            "MeterValueSampleInterval": _Key("60"),
            "MeterValuesAlignedData": _Key("Energy.Active.Import.Register"),
            "MeterValuesSampledData": _Key(_SAMPLED),
            "NumberOfConnectors": _Key(str(connectors), readonly=True),
            "ReserveConnectorZeroSupported": _Key("true", readonly=True),
            "ResetRetries": _Key("1"),
            "SecurityProfile": _Key("0", reboots=True),
            "SendLocalListMaxLength": _Key("100", readonly=True),
            "StopTransactionOnEVSideDisconnect": _Key("true"),
            "StopTransactionOnInvalidId": _Key("true"),
            "StopTxnAlignedData": _Key(""),
            "StopTxnSampledData": _Key(""),
            "SupportedFeatureProfiles": _Key(_PROFILES, readonly=True),
            "TransactionMessageAttempts": _Key("3"),
            "TransactionMessageRetryInterval": _Key("1"),
            "UnlockConnectorOnEVSideDisconnect": _Key("true"),
            "WebSocketPingInterval": _Key("60", reboots=True),
        }

    def text(self, name: str) -> str:
        """The value of a key. Raises KeyError."""
        return self._keys[name].value

    def number(self, name: str) -> int:
        """The value of a numeric key."""
        return int(self._keys[name].value)

    def is_on(self, name: str) -> bool:
        """The value of a boolean key."""
        return self._keys[name].value == "true"

    def change(self, name: str, value: str) -> str:
        """Write a key: Accepted, RebootRequired, Rejected or NotSupported."""
        key = self._keys.get(name)
        if key is None:
            return "NotSupported"
        if key.readonly or not key.accepts(value):
            return "Rejected"
        key.value = value
        return "RebootRequired" if key.reboots else "Accepted"

    def listed(self, names: list[str] | None) -> tuple[list[dict[str, object]], list[str]]:
        """What GetConfiguration answers: the readable keys asked for (all by default), and the unknown ones."""
        shown = {name: key for name, key in self._keys.items() if not key.hidden}
        wanted = names or sorted(shown)
        rows: list[dict[str, object]] = [
            {"key": name, "readonly": shown[name].readonly, "value": shown[name].value}
            for name in wanted
            if name in shown
        ]
        return rows, [name for name in wanted if name not in shown]
