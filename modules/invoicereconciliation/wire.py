"""Invoice reconciliation came with the second edition of 2.3.0: no older version has a word for it."""

from __future__ import annotations

from typing import Final

from hub.core.dialect import Dialects, wires
from modules.invoicereconciliation.model import InvoiceReconciliationRecord

DIALECTS: Final[Dialects] = {}
VERSIONS: Final = ("2.3.0",)
"""The versions that have the module."""

RECORD: Final = wires(InvoiceReconciliationRecord, DIALECTS, VERSIONS)
