"""After a restart: the receipts say what was processed, so the mirror can be built again from them."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from urllib.parse import unquote

from partners.sandbox.mirror import Mirror, UnknownObjectError
from partners.sandbox.receipts import Receipt
from partners.sandbox.wire import Json, decode


def replay(receipts: Sequence[Receipt], mirror: Mirror) -> None:
    """Apply every change that was answered with success, in order.

    A change to an object that had been pulled, not pushed, cannot be repeated and is left out.
    """
    for receipt in receipts:
        if receipt.method != "GET" and receipt.status_code == 1000:
            with contextlib.suppress(UnknownObjectError):
                _apply(receipt, mirror)


def _apply(receipt: Receipt, mirror: Mirror) -> None:
    parts = [unquote(part) for part in receipt.path.split("/") if part]
    module, path = parts[2], parts[3:]
    tree: Json = decode(receipt.body.encode()) if receipt.body else None
    if module == "cdrs":
        mirror.keep_cdr((tree.get("country_code", ""), tree.get("party_id", "")), tree)
    elif module in mirror.objects:
        owner = (path[0], path[1])
        if receipt.method == "PUT":
            mirror.put(module, owner, path[2:], tree, where="replay")
        elif receipt.method == "PATCH":
            mirror.patch(module, owner, path[2:], tree, where="replay")
        else:
            mirror.delete(module, owner, path[2:])
