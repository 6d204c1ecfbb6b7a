"""How a command ends badly: one sentence, what to do next, and a code for scripts."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from hub.core.jsontypes import Tree


class Code(IntEnum):
    """Exit codes. 2, wrong usage, is given by the command line's own parser too."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    UNREACHABLE = 4
    NOT_ALLOWED = 5
    UNDECIDED = 6


class CommandFailed(Exception):
    """`advice` says what to do next; `error` is what the API said, for `--json`."""

    def __init__(self, message: str, code: Code = Code.FAILED, *, advice: str = "", error: Tree | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.advice = advice
        self.error = error or {"code": code.name.lower(), "message": message}

    def in_words_of(self, line: Mapping[str, str]) -> CommandFailed:
        """The same, where a field that the API names comes from the command line: by what it is called there."""
        field, colon, rest = self.message.partition(":")
        named = line.get(field.removeprefix("/"), field) if colon and field.startswith("/") else field
        return CommandFailed(f"{named}{colon}{rest}", self.code, advice=self.advice, error=self.error)


_BY_STATUS = {401: Code.NOT_ALLOWED, 403: Code.NOT_ALLOWED, 404: Code.NOT_FOUND}
_ADVICE = {
    401: "Give a token with --token or BUSBAR_OPERATOR_TOKEN; the first start of the hub printed the operator's.",
    403: "Ask an admin for a token with more: busbar operator token --role operator",
    429: "Wait a minute, then check the token.",
    503: "See what `busbar doctor` says, and the hub's log.",
}


def refused(status: int, error: Tree) -> CommandFailed:
    """What the API's refusal means for the command."""
    message = str(error.get("message") or f"the hub answered with HTTP {status}")
    partner = error.get("partner")
    if isinstance(partner, dict):
        message += f" (HTTP {partner.get('http')}, OCPI {partner.get('status_code')})"
    return CommandFailed(
        message, _BY_STATUS.get(status, Code.FAILED), advice=_ADVICE.get(status, ""), error={"status": status, **error}
    )
