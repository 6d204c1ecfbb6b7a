"""A list of ours, a page at a time. OCPI transport_and_format_pagination."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from partners.sandbox.call import Call, Refused, Reply
from partners.sandbox.house import House
from partners.sandbox.wire import Json, instant

_PAGE_LIMIT = 100


class ListPages:
    """How one partner shows its lists."""

    def __init__(self, house: House) -> None:
        self._house = house

    def answer(self, call: Call, objects: Sequence[dict[str, Json]]) -> Reply:
        """The page that is asked for; a `Link` leads on."""
        start, end, offset, limit = self._page(call)
        fitting = [tree for tree in objects if _within(tree["last_updated"], start, end)]
        headers = {"X-Total-Count": str(len(fitting)), "X-Limit": str(self._most)}
        if offset + limit < len(fitting):
            query = {**call.query, "offset": str(offset + limit), "limit": str(limit)}
            pairs = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
            headers["Link"] = f'<{self._house.ocpi_url(call.module)}?{pairs}>; rel="next"'
        return Reply(fitting[offset : offset + limit], headers=headers)

    @property
    def _most(self) -> int:
        return self._house.temper.mode.page_limit or _PAGE_LIMIT

    def _page(self, call: Call) -> tuple[str | None, str | None, int, int]:
        try:
            offset = int(call.query.get("offset", 0))
            limit = min(int(call.query.get("limit", self._most)), self._most)
            bounds = [call.query.get(name) for name in ("date_from", "date_to")]
            for bound in bounds:
                instant(bound) if bound else None
        except ValueError as error:
            self._house.complaints.add(call.where, f"the paging parameters are malformed: {error}")
            raise Refused(200, 2001, "the paging parameters are malformed") from error
        return bounds[0], bounds[1], offset, limit


def _within(moment: str, start: str | None, end: str | None) -> bool:
    """From `start` on, up to but not including `end`."""
    at = instant(moment)
    return (start is None or at >= instant(start)) and (end is None or at < instant(end))
