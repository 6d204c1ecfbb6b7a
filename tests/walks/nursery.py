"""One process that has imported what the walks run, and forks it: a hub's imports alone take seconds of a core.

What it forks is a process as any other, with an environment, arguments, a log and an end of its own;
`tests.walks.child` runs it. The nursery itself has one thread and runs nothing. It ends when its socket does, which is
when the test process is gone. `python -m tests.walks.nursery FD` is for `Nursery` alone.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, NoReturn

from tests.walks import child

_ROOT: Final = Path(__file__).parents[2]
_AHEAD: Final = ("hub.server", "partners.sandbox.cpo", "partners.sandbox.emsp", "partners.sandbox.oicp.command")
_MOST: Final = 1 << 17
"""Bytes of one request: mostly an environment."""


class Nursery:
    """Asks for processes, from any thread."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        for end in (self._socket, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _MOST)
        command = [sys.executable, "-m", "tests.walks.nursery", str(theirs.fileno())]
        with theirs:
            self._process = subprocess.Popen(
                command, cwd=_ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
            )

    def start(self, words: Sequence[str], environment: Mapping[str, str], *, stdin: int, log: int) -> int:
        """The number of a new process that runs these words; both files stay the caller's to close."""
        return int(self._ask({"words": list(words), "environment": dict(environment)}, stdin, log))

    def ended(self, pid: int) -> bool:
        """Whether it has come to its end, with all that it held."""
        return bool(self._ask({"ended": pid}))

    def signal(self, pid: int, number: signal.Signals) -> None:
        """Send it, unless the process has ended."""
        self._ask({"pid": pid, "signal": number})

    def close(self) -> None:
        """It ends, and is waited for; what it has made ends by itself (`tests.walks.child`)."""
        self._socket.close()
        self._process.wait()

    def _ask(self, request: Mapping[str, object], *files: int) -> Any:
        with self._lock:
            socket.send_fds(self._socket, [json.dumps(request).encode()], files)
            return json.loads(self._socket.recv(_MOST))


@cache
def nursery() -> Nursery:
    """The one of this test process, as long as that lives."""
    made = Nursery()
    atexit.register(made.close)
    return made


class _Served:
    """The other end."""

    def __init__(self, asked: socket.socket) -> None:
        self._asked = asked
        self._running: set[int] = set()

    def until_a_child(self) -> list[str]:
        """Do what is asked. Comes back in the processes it makes only, with the words that they are to run."""
        while True:
            message, files, _, _ = socket.recv_fds(self._asked, _MOST, 2)
            if not message:
                sys.exit()
            request = json.loads(message)
            if "words" in request:
                pid = os.fork()
                if pid == 0:
                    self._asked.close()
                    _become(request["environment"], *files)
                    return list(request["words"])
                self._running.add(pid)
                for each in files:
                    os.close(each)
                self._say(pid)
            elif "ended" in request:
                self._say(self._has_ended(request["ended"]))
            else:
                if not self._has_ended(request["pid"]):
                    os.kill(request["pid"], request["signal"])
                self._say(None)

    def _has_ended(self, pid: int) -> bool:
        """Its number may be another's afterwards, so nothing is sent to it then."""
        if pid in self._running and os.waitpid(pid, os.WNOHANG)[0]:
            self._running.discard(pid)
        return pid not in self._running

    def _say(self, answer: object) -> None:
        self._asked.send(json.dumps(answer).encode())


def _become(environment: Mapping[str, str], stdin: int, log: int) -> None:
    """A process as it would be had it been started with these."""
    for file, number in ((stdin, 0), (log, 1), (log, 2)):
        os.dup2(file, number)
    os.close(stdin)
    os.close(log)
    os.environ.clear()
    os.environ.update(environment)


def _serve(number: int) -> NoReturn:
    for module in _AHEAD:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()
    words = _Served(socket.socket(fileno=number)).until_a_child()
    child.run(words)
    sys.exit()


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
