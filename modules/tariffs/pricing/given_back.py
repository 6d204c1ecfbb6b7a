"""The receipt of what takes a bill back: how that came about, and that its figures are given back."""

from __future__ import annotations

from typing import Any

from hub.core.jsontypes import Tree


def given_back(receipt: Tree, *, reference: str) -> Tree:
    """The receipt of a credit of the bill `reference`, out of that of the bill, in format 1.

    Lines, steps and limits are those of the bill, for they say what it was made of; all figures have the other sign.
    `credit_reference_id` names the bill. No receipt but that of a credit has it.
    """
    told = {"format": receipt["format"], "currency": receipt["currency"], "credit_reference_id": reference}
    return {**told, **receipt, "figures": [_turned(figure) for figure in receipt["figures"]]}


def _turned(figure: Tree) -> Tree:
    after = figure["after_taxes"]
    return {
        **figure,
        "before_taxes": _both(figure["before_taxes"]),
        "after_taxes": None if after is None else _both(after),
        "taxes": [{**tax, "amount": _negative(tax["amount"])} for tax in figure["taxes"]],
    }


def _both(amount: Any) -> Tree:
    return {name: _negative(text) for name, text in amount.items()}


def _negative(number: str) -> str:
    """A decimal or a fraction as text, with the other sign; nothing has none."""
    if not any(digit in number for digit in "123456789"):
        return number
    return number.removeprefix("-") if number.startswith("-") else f"-{number}"
