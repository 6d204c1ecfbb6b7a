"""The hub over its management API: where it is, how we are known there, and what its answers mean for a command."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Self
from urllib.parse import quote, urlsplit

import httpx

from hub.cli.failures import Code, CommandFailed, refused
from hub.control.token_file import token_file
from hub.core.errors import BusbarError
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Json, Tree

if TYPE_CHECKING:
    from hub.core.settings import Settings

_TIMEOUT_S: Final = 330.0
"""The longest OCPP call, and a little."""
_CONNECT_TIMEOUT_S: Final = 5.0
_LIMIT: Final = 256 * 1024 * 1024
_SMALL: Final = 64 * 1024
_PATIENCE_S: Final = 2.0


def quoted(segment: str) -> str:
    """One segment of a path."""
    return quote(segment, safe="")


class Remote:
    """One hub. `patient`: show a sign of life when an answer takes long."""

    def __init__(self, url: str, token: str, *, patient: bool = False) -> None:
        settings = _settings()
        self.url = (url or _default_url(settings)).rstrip("/")
        token = token or _default_token(settings, self.url)
        here = _is_here(self.url)
        self._client = httpx.Client(
            base_url=f"{self.url}/api/v1",
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=httpx.Timeout(_TIMEOUT_S, connect=_CONNECT_TIMEOUT_S),
            trust_env=not here,
            # To read the certificates of all authorities takes longer than what is asked for here without TLS.
            verify=not here or self.url.startswith("https:"),
        )
        self._patient = patient

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, **query: object) -> Tree:
        """GET. Raises: CommandFailed."""
        given = {name: str(value) for name, value in query.items() if value is not None}
        return self.ask("GET", path, query=given)

    def put(self, path: str, tree: Json) -> tuple[bool, Tree]:
        """PUT. Returns: whether the object is new, and the object. Raises: CommandFailed."""
        answer = self._exchange("PUT", path, encode(tree), {})
        return answer.status_code == httpx.codes.CREATED, _understood(answer)

    def post(self, path: str, tree: Json = None) -> Tree:
        """POST, with a body or without. Raises: CommandFailed."""
        return self.ask("POST", path, tree)

    def delete(self, path: str) -> Tree:
        """DELETE. Raises: CommandFailed."""
        return self.ask("DELETE", path)

    def upload(self, path: str, file: Path) -> Tree:
        """PUT a file as it is. Raises: CommandFailed."""
        try:
            with file.open("rb") as content:
                return _understood(self._sent("PUT", path, content, {}, {"Content-Type": "application/octet-stream"}))
        except OSError as error:
            raise CommandFailed(f"{file}: {error.strerror}", Code.NOT_FOUND) from None

    def download(self, path: str) -> bytes:
        """GET a file. Raises: CommandFailed."""
        answer = self._exchange("GET", path, None, {})
        if answer.status_code >= 400:
            _understood(answer)
        return answer.content

    def ask(self, method: str, path: str, tree: Json = None, *, query: Mapping[str, str] | None = None) -> Tree:
        """One request. Raises: CommandFailed."""
        body = None if tree is None else encode(tree)
        return _understood(self._exchange(method, path, body, query or {}))

    def _exchange(self, method: str, path: str, body: bytes | None, query: Mapping[str, str]) -> httpx.Response:
        return self._sent(method, path, body, query, {"Content-Type": "application/json"} if body is not None else {})

    def _sent(
        self, method: str, path: str, body: BinaryIO | bytes | None, query: Mapping[str, str], headers: dict[str, str]
    ) -> httpx.Response:
        try:
            with _sign_of_life() if self._patient else contextlib.nullcontext():
                return self._client.request(method, path, content=body, params=dict(query), headers=headers)
        except httpx.InvalidURL:
            raise CommandFailed(f"{self.url} is not a URL", Code.USAGE) from None
        except httpx.TimeoutException:
            raise CommandFailed(f"{self.url} did not answer in time", Code.UNREACHABLE) from None
        except httpx.HTTPError as error:
            raise CommandFailed(
                f"no hub answers at {self.url} ({type(error).__name__})",
                Code.UNREACHABLE,
                advice="Start one with `busbar serve`, or name another with --url or BUSBAR_URL.",
            ) from None


def _understood(answer: httpx.Response) -> Tree:
    try:
        tree = parse(answer.content, limit=_LIMIT)
    except BusbarError:
        tree = None
    if not isinstance(tree, dict):
        raise CommandFailed("what answered there is no Busbar", Code.UNREACHABLE, advice="Check --url or BUSBAR_URL.")
    if answer.status_code >= 400:
        error = tree.get("error")
        raise refused(answer.status_code, error if isinstance(error, dict) else {})
    return tree


@contextlib.contextmanager
def _sign_of_life() -> Iterator[None]:
    """A spinner, once the answer has taken two seconds."""
    from rich.console import Console

    status = Console(stderr=True).status("waiting for the hub")
    timer = threading.Timer(_PATIENCE_S, status.start)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        status.stop()


def is_in_development(settings: Settings) -> bool:
    """Does a hub answer where these settings have theirs, and is it one that was started with --dev?"""
    if settings.port == 0:
        return False
    try:
        answer = httpx.get(f"{_default_url(settings)}/health/ready", timeout=_CONNECT_TIMEOUT_S, trust_env=False)
        tree = parse(answer.content, limit=_SMALL)
    except (httpx.HTTPError, BusbarError):
        return False
    return isinstance(tree, dict) and tree.get("dev") is True


def _settings() -> Settings | None:
    """The settings of a hub on this machine, where there are any that can be read."""
    from hub.core.settings import Settings

    try:
        return Settings()
    except ValueError:
        return None


def _default_url(settings: Settings | None) -> str:
    if settings is None:
        return "http://127.0.0.1:8000"
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def _default_token(settings: Settings | None, url: str) -> str:
    """The setting's; else the one that the first start left beside the database, for this machine only."""
    if settings is None:
        return os.environ.get("BUSBAR_OPERATOR_TOKEN", "")
    if settings.operator_token is not None:
        return settings.operator_token.get_secret_value()
    path = token_file(settings.database_url)
    if path is None or not _is_here(url):
        return ""
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _is_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
