"""The rules of the tree. A failure names the file and the line that points the wrong way.

Each test first plants a line that breaks its rule, and one that only looks so, for a rule that
sees nothing guards nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from tests import code_rules, import_rules
from tests.source_tree import Source, paths, product, sources

Rule = Callable[[Source], import_rules.Found]


def seen(rule: Rule, path: str, text: str) -> bool:
    """Does `rule` see a file at `path` that holds `text`?"""
    return any(True for _ in rule(Source(path, text)))


def holds(rule: Rule) -> None:
    """`rule` finds nothing in the product."""
    broken = [f"{source.path}:{line}: {why}" for source in product() for line, why in rule(source)]
    assert not broken, "\n" + "\n".join(broken)


def test_imports_point_one_way() -> None:
    assert seen(import_rules.arrows, "hub/core/outbox.py", "from modules.tokens import service")
    assert seen(import_rules.arrows, "hub/core/relay.py", "from partners.ocpi import peer")
    assert seen(import_rules.arrows, "modules/tokens/service.py", "import partners.ocpi.peer")
    assert seen(import_rules.arrows, "partners/ocpp/v16.py", "def late():\n    from hub.app import build")
    assert seen(import_rules.arrows, "modules/tokens/service.py", "from hub import worker")
    assert seen(import_rules.arrows, "hub/app.py", "from tests.world import World")
    assert not seen(import_rules.arrows, "hub/app.py", "from partners.ocpp import gateway\nimport hub.core.errors")
    holds(import_rules.arrows)


def test_the_core_names_no_module() -> None:
    assert seen(code_rules.core_names_no_module, "hub/core/relay.py", "if module == 'tokens':\n    pass")
    assert not seen(code_rules.core_names_no_module, "hub/core/relay.py", '"""Serves tokens and cdrs."""')
    holds(code_rules.core_names_no_module)


def test_a_module_uses_another_through_its_public_files() -> None:
    rule = import_rules.modules_meet_in_public
    assert seen(rule, "modules/sessions/service.py", "from modules.tokens import store")
    assert seen(rule, "modules/sessions/service.py", "from modules.tokens.routes import put_token")
    assert seen(rule, "modules/sessions/service.py", "from ..tokens import store")
    assert not seen(rule, "modules/sessions/service.py", "from modules.tokens.authorize import authorize")
    assert not seen(rule, "modules/sessions/service.py", "from modules.sessions import store")
    assert not seen(rule, "modules/__init__.py", "from modules.tokens import routes")
    holds(rule)


def test_a_module_reaches_out_only_through_ports() -> None:
    rule = import_rules.modules_reach_out_through_ports
    assert seen(rule, "modules/commands/service.py", "import httpx")
    assert seen(rule, "modules/commands/service.py", "from hub.core.outbound import Outbound")
    assert not seen(rule, "modules/commands/service.py", "from hub.core.ports import Peers")
    holds(rule)


def test_wire_files_import_only_the_dialect_types_and_models() -> None:
    assert seen(import_rules.wire_is_a_table, "modules/tokens/wire.py", "from modules.tokens import store")
    assert seen(import_rules.wire_is_a_table, "modules/tokens/wire.py", "import os")
    assert not seen(import_rules.wire_is_a_table, "modules/tokens/wire.py", "from modules.tokens.model import Token")
    holds(import_rules.wire_is_a_table)


def test_model_files_import_only_pydantic_and_types() -> None:
    assert seen(import_rules.model_is_only_a_model, "modules/cdrs/model.py", "from hub.core.dialect import Dialect")
    assert seen(import_rules.model_is_only_a_model, "modules/cdrs/model.py", "from modules.tokens.wire import TOKEN")
    assert not seen(import_rules.model_is_only_a_model, "modules/cdrs/model.py", "from pydantic import Field")
    holds(import_rules.model_is_only_a_model)


def test_sql_stands_only_in_stores() -> None:
    rule = code_rules.sql_stands_in_stores
    assert seen(rule, "modules/cdrs/service.py", "q = f'SELECT body FROM {table} WHERE key = ?'")
    assert seen(rule, "modules/cdrs/service.py", "q = '''\n insert into cdrs values (?)'''")
    assert seen(rule, "hub/core/cache.py", "import sqlite3")
    assert not seen(rule, "modules/cdrs/store.py", "q = 'DELETE FROM cdrs'")
    assert not seen(rule, "modules/cdrs/service.py", '"""Select a CDR from the table."""\ns = "selected"')
    holds(rule)


def test_a_store_knows_no_network() -> None:
    rule = import_rules.stores_know_no_network
    assert seen(rule, "modules/tokens/store.py", "from hub.core.ports import Peers")
    assert seen(rule, "hub/core/store/sqlite.py", "import aiohttp")
    assert not seen(rule, "modules/tokens/service.py", "from hub.core.ports import Peers")
    holds(rule)


def test_nothing_is_awaited_inside_a_commit() -> None:
    rule = code_rules.commit_waits_for_nothing
    assert seen(rule, "modules/a/service.py", "async def f():\n    await s.commit(unit(await peer.ask()))")
    assert not seen(rule, "modules/a/service.py", "async def f():\n    await s.commit(unit(answer))")
    holds(rule)


def test_ocpi_status_codes_stand_only_in_their_table() -> None:
    rule = code_rules.ocpi_codes_in_one_table
    assert seen(rule, "modules/tokens/routes.py", "return answer(2004)")
    assert seen(rule, "modules/tokens/routes.py", "return Answer(status_code=1000)")
    assert seen(rule, "partners/ocpi/peer.py", "if body['status_code'] == 1000:\n    pass")
    assert seen(rule, "modules/cdrs/routes.py", "status_code: int = 1000")
    assert seen(rule, "partners/ocpi/peer.py", "reply = {'status_code': 1000}")
    assert not seen(rule, "modules/tokens/store.py", "def page(limit: int = 1000, most: int = 2_000): ...")
    holds(rule)


def test_callerror_codes_stand_only_in_their_table() -> None:
    rule = code_rules.ocpp_codes_in_one_table
    assert seen(rule, "partners/ocpp/v16.py", "raise CallError('FormationViolation')")
    assert not seen(rule, "partners/ocpp/answers.py", "code = 'FormationViolation'")
    holds(rule)


def test_oicp_codes_stand_only_in_their_table() -> None:
    rule = code_rules.oicp_codes_in_one_table
    assert seen(rule, "partners/oicp/routes.py", "code = '210'")
    assert not seen(rule, "partners/oicp/answers.py", "code = '210'")
    holds(rule)


def test_python_jose_has_one_user() -> None:
    assert seen(import_rules.jose_only_in_jwt, "hub/api/access.py", "from jose import jwt")
    assert not seen(import_rules.jose_only_in_jwt, "hub/core/jwt.py", "from jose import jwt")
    holds(import_rules.jose_only_in_jwt)


def test_partners_are_called_only_through_outbound() -> None:
    rule = import_rules.one_http_client
    assert seen(rule, "partners/ocpi/peer.py", "import aiohttp")
    assert seen(rule, "partners/ocpi/handshake.py", "import httpx")
    assert seen(rule, "hub/core/jwt.py", "from urllib.request import urlopen")
    assert not seen(rule, "hub/core/outbound.py", "import aiohttp")
    assert not seen(rule, "partners/sandbox/emsp.py", "import httpx")
    assert not seen(rule, "hub/cli.py", "import httpx\nfrom urllib.parse import urlsplit")
    holds(rule)


def test_ocpi_operations_pay_for_no_framework() -> None:
    rule = code_rules.ocpi_operations_stay_lean
    assert seen(rule, "modules/tokens/routes.py", "def f(call=Depends(caller)): ...")
    assert seen(rule, "hub/core/dispatch.py", "router.get('/', response_model=Token)")
    assert seen(rule, "hub/app.py", "class Trace(BaseHTTPMiddleware): ...")
    assert not seen(rule, "hub/api/partners.py", "def f(operator=Depends(operator)): ...")
    holds(rule)


def test_a_broad_except_says_why() -> None:
    rule = code_rules.broad_catches_say_why
    assert seen(rule, "hub/worker.py", "try:\n    f()\nexcept Exception:\n    pass")
    assert seen(rule, "hub/worker.py", "try:\n    f()\nexcept (OSError, BaseException):  # noqa: BLE001\n    pass")
    assert seen(rule, "hub/worker.py", "try:\n    f()\nexcept:\n    pass")
    assert not seen(rule, "hub/worker.py", "try:\n    f()\nexcept Exception:  # other lanes go on\n    pass")
    assert not seen(rule, "hub/worker.py", "try:\n    f()\nexcept Exception:  # noqa: BLE001 - others go on\n    pass")
    assert not seen(rule, "hub/worker.py", "try:\n    f()\nexcept BaseException:\n    close()\n    raise")
    assert not seen(rule, "hub/worker.py", "try:\n    f()\n# other lanes go on\nexcept Exception:\n    pass")
    holds(rule)


def test_only_the_faces_for_people_print() -> None:
    assert seen(code_rules.only_faces_print, "modules/tokens/service.py", "print('here')")
    assert not seen(code_rules.only_faces_print, "hub/cli.py", "print('here')")
    holds(code_rules.only_faces_print)


def test_modules_have_only_the_known_files() -> None:
    rule = code_rules.module_files_are_known
    assert seen(rule, "modules/tokens/crud.py", "")
    assert seen(rule, "modules/cdrs/authorize.py", "")
    assert not seen(rule, "modules/tokens/authorize.py", "")
    assert not seen(rule, "modules/tariffs/pricing/periods.py", "")
    holds(rule)


def test_names_say_what_is_inside() -> None:
    assert code_rules.vague_name("hub/core/utils.py") == "utils"
    assert code_rules.vague_name("partners/ocpp/session_manager.py") == "manager"
    assert code_rules.vague_name("hub/helpers/dates.py") == "helpers"
    assert code_rules.vague_name("modules/tokens/managed.py") is None
    assert [path for path in paths() if code_rules.vague_name(path)] == []


def test_the_second_reading_of_prices_knows_nothing_of_the_first() -> None:
    rule = import_rules.second_reading_stands_alone
    assert seen(rule, "tests/verifier/walk.py", "from modules.tariffs.pricing import price")
    assert seen(rule, "tests/verifier/walk.py", "def late():\n    import hub.core.inbound")
    assert seen(rule, "tests/verifier/walk.py", "from tests.laws.dealt import Dealt")
    assert seen(rule, "tests/verifier/walk.py", "import msgspec")
    assert not seen(rule, "tests/verifier/walk.py", "from fractions import Fraction\nfrom tests.verifier import case")
    assert not seen(rule, "tests/laws/dealt.py", "from modules.tariffs.pricing import price")
    readings = [source for source in sources("tests") if source.is_in("tests/verifier/")]
    assert len(readings) > 10
    assert [f"{each.path}:{line}: {why}" for each in readings for line, why in rule(each)] == []


def test_the_rules_saw_the_product() -> None:
    assert len(product()) > 10
    assert {source.parts[0] for source in product()} == {"hub", "modules", "partners"}
