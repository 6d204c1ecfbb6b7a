"""The form of a supposition, and the table that functions enter by being decorated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from modules.cdrs.check.amounts import Figures
from modules.cdrs.check.bill import Bill
from modules.cdrs.check.result import Cause

Mistaken = Callable[[Bill], Iterator[Figures]]


@dataclass(frozen=True, slots=True)
class Supposition:
    """A mistake, and the amounts that it leads to. Making them may raise PricingFault: then it was not made."""

    cause: Cause
    why: str
    amounts: Mistaken


class Suppositions(list[Supposition]):
    """The table of one kind of mistake."""

    def __call__(self, cause: Cause) -> Callable[[Mistaken], Mistaken]:
        """Enter the decorated function; the first line of its docstring is what is told."""

        def enter(function: Mistaken) -> Mistaken:
            why = (function.__doc__ or "").strip().split("\n", 1)[0].rstrip(".")
            self.append(Supposition(cause, why, function))
            return function

        return enter
