"""Texts for people: OCPI's DisplayTexts, OICP's InfoTexts, phone numbers and pictures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from hub.core.countries import LANGUAGES
from hub.core.jsontypes import Tree
from partners.oicp.mapping.terms import Notes, Terms

_INFO: Final = 150
_NAME: Final = 255
_TEXT: Final = 512
_URL: Final = 200
_PHONE: Final = re.compile(r"\+[0-9]{5,15}", re.ASCII)
_IN_NUMBERS: Final = re.compile(r"\(0\)|[\s()./\-–]")
_LANGUAGE: Final = re.compile(r"[a-z]{2}", re.ASCII)
_PICTURE: Final = re.compile(r"\.(jpe?g|png|gif|webp|svg|bmp|tiff?)(?:[?#].*)?$", re.IGNORECASE)


def said_texts(texts: Sequence[Mapping[str, Any]], path: str, notes: Notes) -> list[Tree]:
    """InfoTexts, cut to their length."""
    said = []
    for at, text in enumerate(texts):
        if text["text"].strip():
            value = notes.cut(text["text"], _INFO, f"{path}/{at}/text")
            said.append({"lang": text["language"].lower(), "value": value})
        else:
            notes.lose(f"{path}/{at}")
    return said


def read_texts(texts: Sequence[Mapping[str, Any]], path: str, terms: Terms, notes: Notes) -> list[Tree]:
    """DisplayTexts, whose language has two letters."""
    found = []
    for at, text in enumerate(texts):
        language = _language(text.get("lang", ""), terms)
        if language != text.get("lang", terms.language):
            notes.lose(f"{path}/{at}/lang")
        found.append({"language": language, "text": notes.cut(text["value"], _TEXT, f"{path}/{at}/value")})
    return found


def _language(code: str, terms: Terms) -> str:
    """`de-CH` is German; what is no language counts as the one that was agreed."""
    first = code.lower().split("-", maxsplit=1)[0]
    known = LANGUAGES.get(first, first)
    return known if _LANGUAGE.fullmatch(known) else terms.language


def name_of(names: Sequence[Mapping[str, Any]], terms: Terms, notes: Notes) -> str:
    """The name in the agreed language, else the first."""
    if not names:
        return ""
    agreed = [at for at, name in enumerate(names) if _language(name.get("lang", ""), terms) == terms.language]
    chosen = agreed[0] if agreed else 0
    if names[chosen].get("lang", terms.language) != terms.language:
        notes.lose(f"/ChargingStationNames/{chosen}/lang")
    notes.lose(*(f"/ChargingStationNames/{at}" for at in range(len(names)) if at != chosen))
    return notes.cut(names[chosen]["value"], _NAME, f"/ChargingStationNames/{chosen}")


def said_phone(location: Mapping[str, Any], terms: Terms, notes: Notes) -> str:
    """HotlinePhoneNumber; "" where there is none."""
    told = str(location.get("help_phone") or "")
    number = _IN_NUMBERS.sub("", told)
    number = f"+{number[2:]}" if number.startswith("00") else number
    if told and number != told:
        notes.lose("/help_phone")
    return number if _PHONE.fullmatch(number) else terms.hotline


def said_picture(location: Mapping[str, Any], evse: Mapping[str, Any], path: str, notes: Notes) -> str:
    """The first picture of a charger whose address is short enough; the others stay."""
    chosen = ""
    for images, where in ((evse.get("images") or (), f"{path}/images"), (location.get("images") or (), "/images")):
        for at, image in enumerate(images):
            if not chosen and image["category"] == "CHARGER" and len(image["url"]) <= _URL:
                chosen = image["url"]
                notes.lose_all(image, ("thumbnail", "width", "height"), f"{where}/{at}")
                if where == "/images" or read_picture(chosen)["type"] != image["type"]:
                    notes.lose(f"{where}/{at}" if where == "/images" else f"{where}/{at}/type")
            else:
                notes.lose(f"{where}/{at}")
    return chosen


def read_picture(url: str) -> Tree:
    """An Image of a charger. OCPI asks for its type, which only the address may tell."""
    match = _PICTURE.search(url)
    return {"url": url, "category": "CHARGER", "type": match[1].lower() if match else "jpeg"}
