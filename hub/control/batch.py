"""Many cases priced one after the other, in constant memory: a line of JSON in, a line of JSON out.

A line is read only up to a limit; what cannot be priced becomes a result that says why, and the next line is read.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterator
from decimal import Decimal
from typing import BinaryIO, Final

from hub.control.case import Asked, name_of, read_case
from hub.control.outcome import TOLERANCE, check_tree, code_of, outcome_of
from hub.control.parts import CaseFault
from hub.control.ready import CompiledTariffs
from hub.control.result import differences, failure, success
from hub.core.errors import TooLarge, Unreadable
from hub.core.inbound import UnfitJson, parse
from hub.core.jsontypes import Json, Tree
from modules.tariffs.pricing import PricingFault
from modules.tariffs.pricing.numbers import decimal_text

LINE_LIMIT: Final = 4 * 1024 * 1024
"""Bytes of one case."""


class Pricer:
    """Prices cases. `tolerance`: by how much a figure may be off; `receipts`: put them into the results."""

    def __init__(self, *, tolerance: Decimal = TOLERANCE, receipts: bool = True) -> None:
        self._tolerance = tolerance
        self._receipts = receipts
        self._tariffs = CompiledTariffs()

    def of_numbered(self, number: int, line: bytes | None) -> Tree:
        """The result of one line of a file, with the number of the line, which is found even where no name can be."""
        return {"line": number, **self.of_line(line)}

    def of_line(self, line: bytes | None) -> Tree:
        """The result of one line; None stands for one that was too long. Raises nothing."""
        if line is None:
            return failure(None, "too_large", f"the line is longer than {LINE_LIMIT} bytes")
        try:
            tree = parse(line, limit=LINE_LIMIT)
        except TooLarge as fault:
            return failure(None, "too_large", fault.message)
        except UnfitJson as fault:
            return failure(None, "unfit_json", fault.message)
        except Unreadable as fault:
            return failure(None, "not_json", fault.message)
        return self.of_tree(tree)

    def of_tree(self, tree: Json) -> Tree:
        """The result of one case. Raises nothing."""
        try:
            return self._priced(read_case(tree))
        except (CaseFault, PricingFault) as fault:
            return failure(name_of(tree), code_of(fault), fault.message)
        except Exception as error:  # a defect of ours must not take the other lines along
            return failure(name_of(tree), "internal_error", f"this is our fault: {type(error).__name__}")

    def _priced(self, asked: Asked) -> Tree:
        outcome = outcome_of(asked, self._tariffs, self._tolerance)
        result = success(asked.name, outcome.priced, outcome.boundaries)
        checked = {}
        if outcome.check is not None:
            checked = check_tree(outcome.check, self._tolerance, as_text=True)
        if asked.expected:
            found = differences(asked.expected, result, self._tolerance)
            is_fine = checked.get("ok", True) and not found
            checked |= {"ok": is_fine, "tolerance": decimal_text(self._tolerance), "differences": found}
        if checked:
            result["check"] = checked
        if self._receipts:
            result["receipt"] = outcome.receipt()
        return result


def lines_of(stream: BinaryIO, *, limit: int = LINE_LIMIT) -> Iterator[tuple[int, bytes | None]]:
    """The lines of `stream` that are not blank, with their numbers from 1; None for one that is longer than `limit`.

    Some editors begin a file with the mark of UTF-8, which is no part of the first line.
    """
    for number, line in enumerate(iter(lambda: stream.readline(limit + 1), b""), 1):
        if number == 1:
            line = line.removeprefix(BOM_UTF8)
        if len(line) > limit and not line.endswith(b"\n"):
            while (more := stream.readline(limit)) and not more.endswith(b"\n"):
                pass
            yield number, None
        elif line and not line.isspace():
            yield number, line.rstrip(b"\r\n")
