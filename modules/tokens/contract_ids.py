"""How the id of a contract is written: an eMAID, with or without separators, with or without its check digit.

ISO 15118 sends `DE8AAC12345678X`, OCPI's parties write `DE-8AA-C12345678-X` or leave the last character out.
"""

from __future__ import annotations

from typing import Final

EMAID: Final = "EMAID"
"""TokenType (mod_tokens_token_type_enum) of the id of a contract."""

_WITHOUT_CHECK: Final = 14
_WITH_CHECK: Final = 15


def spellings(contract_id: str) -> tuple[str, ...]:
    """The ways in which this contract may be on record, as it was given first, each once."""
    plain = contract_id.replace("-", "").upper()
    found = [contract_id, plain]
    if len(plain) in (_WITHOUT_CHECK, _WITH_CHECK):
        country, provider, instance, check = plain[:2], plain[2:5], plain[5:14], plain[14:]
        found += [f"{country}-{provider}-{instance}", plain[:_WITHOUT_CHECK]]
        found += [f"{country}-{provider}-{instance}-{check}"] if check else []
    return tuple(dict.fromkeys(found))
