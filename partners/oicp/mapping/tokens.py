"""Who charges: OICP's Identification in one of five ways, OCPI's Token.

A card is known by its number where it is shown, and by its contract everywhere else. A contract id is no credential by
itself: it is printed and told to many. So a QR code without somebody who can check its PIN allows nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from hub.core.jsontypes import Tree
from hub.core.parties import Party
from modules.tokens.model import Token
from partners.oicp import ids
from partners.oicp.answers import Code
from partners.oicp.mapping import times
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.strangers import strangers
from partners.oicp.mapping.terms import Mapped, Notes, Terms

Identification = Mapping[str, Any]

CARD: Final = "RFIDMifareFamilyIdentification"
KNOWN_CARD: Final = "RFIDIdentification"
QR_CODE: Final = "QRCodeIdentification"
PLUG_AND_CHARGE: Final = "PlugAndChargeIdentification"
REMOTE: Final = "RemoteIdentification"

EMAID: Final = "EMAID"
"""TokenType of a contract that a car tells."""
_CARD_TYPE: Final = "RFID"
_UID: Final = 36
_VISUAL: Final = 64
_PRINTED: Final = 150
_NOT_OF_OICP: Final = ("group_id", "issuer", "language", "default_profile_type", "energy_contract")


class Medium(NamedTuple):
    """How somebody shows who he is: the way, and the token of OCPI that it is."""

    name: str
    token_type: str
    uid: str
    unknown: Code
    """StatusCode of one that nobody knows."""


MEDIA: Final[Mapping[str, tuple[str, str, Code]]] = {
    CARD: ("rfid", "RFID", Code.UNKNOWN_CARD),
    KNOWN_CARD: ("rfid", "RFID", Code.UNKNOWN_CARD),
    QR_CODE: ("qr", "", Code.WRONG_PIN),
    PLUG_AND_CHARGE: ("pnc", EMAID, Code.UNKNOWN_CONTRACT),
    REMOTE: ("remote", "APP_USER", Code.UNKNOWN_CONTRACT),
}
"""Every way, in the order in which they count where a message fills in several: name, type of token, StatusCode."""


def medium_of(identification: Identification, terms: Terms | None = None) -> Medium:
    """The way that counts. Raises: NotSayable, for a QR code and for nothing at all."""
    for field, (name, token_type, unknown) in MEDIA.items():
        said = identification.get(field)
        if not said:
            continue
        if field == QR_CODE:
            raise NotSayable("OCPI cannot ask a provider about the PIN of a QR code")
        uid = ids.folded_uid(said["UID"]) if name == "rfid" else contract_of(said["EvcoID"])
        if name == "rfid" and terms is not None and terms.reverses_uids:
            uid = _turned(uid)
        return Medium(name, token_type, uid, unknown)
    raise NotSayable("the message does not say who it is")


def is_qr_code(identification: Identification) -> bool:
    """Is a QR code the way that counts?"""
    return next((field for field in MEDIA if identification.get(field)), "") == QR_CODE


def without_pin(identification: Identification) -> Tree:
    """All of it but the PIN of a QR code, which is for whoever compares it and for nobody else."""
    code = identification.get(QR_CODE)
    if not code:
        return dict(identification)
    told = {name: value for name, value in code.items() if name not in ("PIN", "HashedPIN")}
    return {**identification, QR_CODE: told}


def without_pins(message: Mapping[str, Any]) -> Tree:
    """A message that is kept or goes on, without a PIN in what it says of who it is."""
    said = message.get("Identification")
    return {**message, "Identification": without_pin(said)} if said else dict(message)


def _turned(uid: str) -> str:
    try:
        return ids.card_uid(uid, is_reversed=True)
    except ids.InvalidId:
        return uid


def contract_of(evco_id: str) -> str:
    """A contract as it is known in OCPI; what is none stays as it is."""
    try:
        return str(ids.EvcoID.parse(evco_id).complete)
    except ids.InvalidId:
        return evco_id


def asked_about(uid: str, token_type: str, terms: Terms) -> Tree:
    """The Identification to ask a provider about. Raises: NotSayable, for what nobody in OICP can know."""
    try:
        if token_type == _CARD_TYPE:
            return {CARD: {"UID": ids.card_uid(uid, is_reversed=terms.reverses_uids)}}
        if token_type in (EMAID, "OTHER"):
            return {PLUG_AND_CHARGE: {"EvcoID": str(ids.EvcoID.parse(uid).complete)}}
    except ids.InvalidId as fault:
        raise NotSayable(fault.message) from None
    raise NotSayable("OICP asks about cards and contracts only")


def remote_identification(token: Mapping[str, Any]) -> Tree:
    """For orders: always by the contract, never by what an app calls its user. Raises: NotSayable."""
    return {REMOTE: {"EvcoID": _evco_id(token)}}


def identification_of(token: Mapping[str, Any], terms: Terms | None = None) -> Tree:
    """For sessions and records, of a Token or CdrToken: as exactly as OICP can say it. Raises: NotSayable."""
    if token["type"] == "RFID":
        return asked_about(token["uid"], "RFID", terms or Terms())
    if token["type"] == "AD_HOC_USER":
        raise NotSayable("OICP knows nobody without a contract")
    field = PLUG_AND_CHARGE if token["type"] == "EMAID" else REMOTE
    return {field: {"EvcoID": _evco_id(token)}}


def _evco_id(token: Mapping[str, Any]) -> str:
    if is_synthetic(token):
        raise NotSayable("the contract of this card is not known")
    try:
        return str(ids.EvcoID.parse(token["contract_id"]).complete)
    except ids.InvalidId as fault:
        raise NotSayable(fault.message) from None


def data_record_of(token: Mapping[str, Any], terms: Terms) -> Mapped[Tree]:
    """An AuthenticationDataRecord. Raises: NotSayable, for a token that is not valid or that OICP cannot name."""
    if not token["valid"]:
        raise NotSayable("the token is not valid")
    notes = Notes()
    notes.lose_all(token, _NOT_OF_OICP)
    notes.lose(*strangers(Token, token))
    if token["whitelist"] != "NEVER":
        notes.lose("/whitelist")
    if token["type"] != "RFID":
        notes.lose_all(token, ("visual_number",))
        if token["uid"] != token["contract_id"]:
            notes.lose("/uid")
        return notes.mapped({"Identification": identification_of(token, terms)})
    card: Tree = {**asked_about(token["uid"], "RFID", terms)[CARD], "RFID": terms.rfid_type}
    if ids.folded_uid(token["uid"]) != token["uid"]:
        notes.lose("/uid")
    try:
        card["EvcoID"] = _evco_id(token)
        if card["EvcoID"] != token["contract_id"]:
            notes.lose("/contract_id")
    except NotSayable:
        notes.lose("/contract_id", warn="the contract of a card is not told: OICP cannot write its id")
    if token.get("visual_number"):
        card["PrintedNumber"] = notes.cut(token["visual_number"], _PRINTED, "/visual_number")
    return notes.mapped({"Identification": {KNOWN_CARD: card}})


def token_of(
    identification: Identification, provider: Party, *, received: str, issuer: str = "", terms: Terms | None = None
) -> Mapped[Tree]:
    """The Token that a provider's Identification is; `received`: when it came, which decides whether it is over.

    Never on a whitelist: a charge that nobody in OICP was asked about has no SessionID, and its record goes nowhere.
    Raises: NotSayable.
    """
    notes, medium = Notes(), medium_of(identification, terms)
    card = identification.get(KNOWN_CARD) or {} if medium.name == "rfid" else {}
    notes.lose_all(card, ("RFID",), f"/{KNOWN_CARD}")
    contract = contract_of(card.get("EvcoID", "")) if medium.name == "rfid" else medium.uid
    if max(len(medium.uid), len(contract)) > _UID:
        raise NotSayable("its number or contract id is longer than OCPI takes")
    tree: Tree = {
        "country_code": provider.country_code,
        "party_id": provider.party_id,
        "uid": medium.uid,
        "type": medium.token_type,
        "contract_id": contract or synthetic_contract(provider, medium.uid),
        "visual_number": notes.cut(card.get("PrintedNumber", ""), _VISUAL, f"/{KNOWN_CARD}/PrintedNumber") or None,
        "issuer": issuer or str(ids.ProviderID.of(provider)),
        "valid": not (expiry := expires_at(identification)) or times.instant(received) < times.instant(expiry),
        "whitelist": "NEVER",
        "last_updated": received,
    }
    return notes.mapped({name: value for name, value in tree.items() if value is not None})


def expires_at(identification: Identification) -> str:
    """When a card stops to be valid, as OCPI writes it; "" for never. The token is to be made invalid then."""
    expiry = (identification.get(KNOWN_CARD) or {}).get("ExpiryDate")
    return times.to_ocpi(expiry) if expiry else ""


def synthetic_contract(provider: Party, uid: str) -> str:
    """Stands for the contract of a card where a provider has told only that it is his. It is no EvcoID."""
    return ids.fitting(f"{ids.ProviderID.of(provider)}-{uid}")


def is_synthetic(token: Mapping[str, Any]) -> bool:
    """Was its contract_id made here? Then it is never told as an EvcoID."""
    owner = Party.of(token["country_code"], token["party_id"])
    return bool(token["contract_id"] == synthetic_contract(owner, token["uid"]))
