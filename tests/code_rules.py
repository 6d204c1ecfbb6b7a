"""What may stand where in the code: one function a rule, from a file to the lines at fault and why."""

from __future__ import annotations

import ast
import re
from typing import Final

from tests.import_rules import DECISIONS, Found
from tests.source_tree import Source

MODULE_FILES: Final = frozenset({"__init__", "model", "wire", "store", "service", "routes", "publication"})
PARTS: Final[dict[str, frozenset[str]]] = {
    "bookings": frozenset(
        {"calendar", "editions", "holds", "lifecycle", "places", "received", "requests", "slots", "terms"}
    ),
    "invoicereconciliation": frozenset({"check", "waiting", "whose"}),
    "payments": frozenset({"card_numbers", "waiting", "whose"}),
    "cdrs": frozenset(
        {
            "bills",
            "connector_tariff",
            "doubles",
            "owed",
            "passing",
            "place",
            "received",
            "vetting",
            "waiting",
            "whereabouts",
        }
    ),
    "chargingprofiles": frozenset({"at_charger", "effect", "following", "keeping", "onward", "owed"}),
    "hubclientinfo": frozenset({"keeping", "roster", "sight"}),
    "commands": frozenset({"consent", "late", "onward", "passed_on", "places", "reserving"}),
    "tokens": frozenset(
        {
            "asked",
            "asking",
            "contract_ids",
            "decision",
            "known",
            "listing",
            "namesakes",
            "ordered",
            "prefixes",
            "probable",
            "refusals",
            "unknown",
        }
    ),
    "sessions": frozenset(
        {"anew", "costs", "facts", "held", "place", "plausible", "preferences", "received", "ruling", "telling"}
    ),
    "locations": frozenset({"foreign", "renaming", "unsaid", "withheld"}),
    "tariffs": frozenset({"foreign", "turning", "validity", "words"}),
}
"""What a module keeps to itself, in a file of its own because it is an idea of its own."""
MODULE_NAMES: Final = frozenset(
    {"locations", "sessions", "cdrs", "tariffs", "tokens", "commands", "chargingprofiles", "hubclientinfo"}
    | {"payments", "bookings", "invoicereconciliation"}
)
"""Registration (versions, credentials) is not among them: the registry in hub/core is about it."""

OCPI_CODES: Final = frozenset({2000, 2001, 2002, 2003, 2004, 3000, 3001, 3002, 3003, 4000, 4001, 4002, 4003})
OCPP_CODES: Final = frozenset(
    {"FormationViolation", "FormatViolation", "GenericError", "MessageTypeNotSupported", "ProtocolError"}
    | {"OccurenceConstraintViolation", "OccurrenceConstraintViolation", "PropertyConstraintViolation"}
    | {"RpcFrameworkError", "SecurityError", "TypeConstraintViolation"}
)
_SUCCESS: Final = re.compile(r"""(status_code|ocpi_code)["'\]]*(: *int)? *[=!:<>]=? *1000\b""")
"""1000 is a common number: it is a code where something of that name gets it or is compared with it."""

_SILENCER: Final = re.compile(r"noqa(: *[A-Z]+\d+(, *[A-Z]+\d+)*)?|type: ignore(\[.*?\])?|pragma: no cover")
_SQL: Final = re.compile(
    r"\s*(select\s[\s\S]*\sfrom\s|insert\s+(or\s+\w+\s+)?into\s|update\s+\S+\s+set\s|delete\s+from\s"
    r"|(create|alter|drop)\s+(unique\s+)?(table|index)\s|pragma\s|begin\s+immediate|with\s+\w+\s+as\s*\()",
    re.IGNORECASE,
)
_VAGUE: Final = frozenset({"util", "utils", "helper", "helpers", "manager", "managers"})


def core_names_no_module(source: Source) -> Found:
    """Rule 2: hub.core is told about modules by modules.MODULES."""
    if source.is_in("hub/core/"):
        for text in source.texts:
            if text.value in MODULE_NAMES:
                yield text.line, f"hub.core may not name the module {text.value}"


def sql_stands_in_stores(source: Source) -> Found:
    """Rule 5: SQL and the drivers stand only in hub/core/store, the migrations and modules/*/store.py."""
    if source.is_store:
        return
    for text in source.texts:
        if _SQL.match(text.value):
            yield text.line, "SQL outside of a store"
    for found in source.imports:
        if found.is_within("sqlite3", "asyncpg", "aiosqlite"):
            yield found.line, f"{found.target} outside of a store"


def commit_waits_for_nothing(source: Source) -> Found:
    """Rule 7: what goes into `commit(...)` is ready: nothing is awaited inside the call."""
    for node in source.nodes:
        if isinstance(node, ast.Call) and _name(node.func) == "commit":
            inside = (part for argument in [*node.args, *node.keywords] for part in ast.walk(argument))
            if any(isinstance(part, ast.Await) for part in inside):
                yield node.lineno, "something is awaited inside commit(...): look up first, then commit"


def ocpi_codes_in_one_table(source: Source) -> Found:
    """Rule 6. Sandbox partners and the contract tester are somebody else's server, and may say any code."""
    elsewhere = ("partners/ocpp/", "partners/oicp/", "partners/sandbox/", "partners/contract/")
    if source.is_in("hub/core/answers.py", *elsewhere):
        return
    for node in source.nodes:
        if isinstance(node, ast.Constant) and node.value in OCPI_CODES and _is_plain(node, source):
            yield node.lineno, f"the OCPI status code {node.value} belongs in hub/core/answers.py"
    for line, written in enumerate(source.lines, 1):
        if _SUCCESS.search(written):
            yield line, "the OCPI status code 1000 belongs in hub/core/answers.py"


def _is_plain(number: ast.Constant, source: Source) -> bool:
    """A code is written 2000, a quantity 2_000."""
    line = source.lines[number.lineno - 1].encode()
    return line[number.col_offset : number.end_col_offset].isdigit()


def _name(node: ast.AST | None) -> str:
    """The last word of a name, an attribute, or a constant used as a key."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str(name)):
            return name
        case ast.Subscript(slice=inner):
            return _name(inner)
        case _:
            return ""


def ocpp_codes_in_one_table(source: Source) -> Found:
    """Rule 6: CALLERROR codes are chosen in partners/ocpp/answers.py."""
    if source.is_in("partners/ocpp/") and not source.is_in("partners/ocpp/answers.py"):
        for text in source.texts:
            if text.value in OCPP_CODES:
                yield text.line, f"the CALLERROR code {text.value} belongs in partners/ocpp/answers.py"


def oicp_codes_in_one_table(source: Source) -> Found:
    """Rule 6: OICP's three-digit codes are chosen in partners/oicp/answers.py."""
    if source.is_in("partners/oicp/") and not source.is_in("partners/oicp/answers.py"):
        for text in source.texts:
            if re.fullmatch(r"\d{3}", text.value):
                yield text.line, f"the OICP code {text.value} belongs in partners/oicp/answers.py"


def ocpi_operations_stay_lean(source: Source) -> Found:
    """DESIGN, speed: no BaseHTTPMiddleware at all; no Depends and no response_model on OCPI operations."""
    lean = source.place is not None or source.is_in("hub/core/dispatch.py")
    for node in source.nodes:
        name = (
            node.arg
            if isinstance(node, ast.keyword)
            else _name(node)
            if isinstance(node, ast.Name | ast.Attribute)
            else ""
        )
        if name == "BaseHTTPMiddleware" or (lean and name in ("Depends", "response_model")):
            yield getattr(node, "lineno", 0), f"{name} costs too much here: see the table of operations"


def broad_catches_say_why(source: Source) -> Found:
    """`except Exception` stands only where a loop must go on for others; a comment beside it says why.

    One that ends in `raise` only tidies up, and needs none.
    """
    for node in source.nodes:
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type) and not isinstance(node.body[-1], ast.Raise):
            beside = source.lines[max(node.lineno - 2, 0) : node.lineno]
            if not any(re.search(r"[a-z]{3}", _SILENCER.sub("", line.partition("#")[2])) for line in beside):
                yield node.lineno, "a broad except without a comment that says why"


def _is_broad(kind: ast.expr | None) -> bool:
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(each is None or _name(each) in ("Exception", "BaseException") for each in kinds)


def only_faces_print(source: Source) -> Found:
    """Everything else logs events with fields."""
    if source.is_in("partners/sandbox/", "bench/") or re.match(r"hub/(cli|demo)", source.path):
        return
    for node in source.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield node.lineno, "print() outside of the command line, the demo and the sandbox"


def module_files_are_known(source: Source) -> Found:
    """The second module is already known: the same files in each, and the decision it owns."""
    own = source.place
    if own is not None and own.module:
        known = MODULE_FILES | DECISIONS.get(own.module, frozenset()) | PARTS.get(own.module, frozenset())
        if own.part not in known:
            yield 1, f"{own.part} is none of the files of a module ({', '.join(sorted(known))})"


def vague_name(path: str) -> str | None:
    """The word in a path that tells nothing of what is inside."""
    words = (word for part in path.removesuffix(".py").split("/") for word in part.lower().split("_"))
    return next((word for word in words if word in _VAGUE), None)
