"""The process that has the readers loaded and forks one limited child for each file, a few of them at a time.

It is started as a program and knows nothing of Opora but the names it is told. A message on its socket is one JSON
object: what to begin (`target`, `limits`, and for a file at a path `place` and `options`), with three descriptors. On
the first of them lines of JSON tell what becomes of the child: `{"waits": true}` where others come before it,
`{"pid": …}` once it was forked, `{"failed": "memory" | "machine" | "fault", "type": …}` where it failed,
`{"signal": …}` when it has ended. Nothing is ever said on it to us: once the other side hangs up, the child is killed,
or never begun. On the second the child writes what it found: as JSON, and nothing where it failed, what it found in a
file at a path; in a form of its own what it found in a file that the third descriptor brings.
"""

import ctypes
import json
import os
import resource
import selectors
import signal
import socket
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib import import_module
from typing import Any

MESSAGE_MAX = 65_536
DESCRIPTORS_MAX = 32
DESCRIPTORS_SENT = 3
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)
OUT_OF_MEMORY = b'{"failed": "memory"}\n'
"""Written beforehand: there may be no memory to write it in."""


class Nursery:
    """The children of one process, each known by the descriptor on which its end is told, and who waits for a place."""

    def __init__(self, control: socket.socket, children_max: int) -> None:
        self._control = control
        self._children_max = children_max
        self._watched = selectors.DefaultSelector()
        self._living: dict[int, int] = {}
        self._waiting: dict[int, tuple[dict[str, Any], int, int]] = {}

    def serve(self) -> None:
        """Begin and end children as the other side says, until it has gone; those left then are ended."""
        woken = woken_by_children()
        self._watched.register(self._control, selectors.EVENT_READ)
        self._watched.register(woken, selectors.EVENT_READ)
        try:
            while self._heeded(woken):
                self._reap()
                self._begin_waiting()
        finally:
            self._control.close()  # first: whoever hears of an ended child and asks again finds that we are going
            self._end_all()

    def _heeded(self, woken: socket.socket) -> bool:
        """Wait until something happens and see to it; False once the other side has gone."""
        for key, _ in self._watched.select():
            if key.fileobj is woken:
                woken.recv(MESSAGE_MAX)
            elif key.fileobj is not self._control:
                self._hung_up(key.fd)
            elif not self._heard():
                return False
        return True

    def _heard(self) -> bool:
        message, descriptors, _, _ = socket.recv_fds(self._control, MESSAGE_MAX, DESCRIPTORS_SENT)
        if not message:
            return False
        if len(descriptors) < DESCRIPTORS_SENT:  # there was no room for the others, and they are lost
            for told in descriptors[:1]:
                tell(told, failed="machine")
            close(descriptors)
            return True
        told, found, food = descriptors
        if len(self._living) + len(self._waiting) >= self._children_max:
            tell(told, waits=True)
        self._watched.register(told, selectors.EVENT_READ)
        self._waiting[told] = (json.loads(message), found, food)
        return True

    def _hung_up(self, told: int) -> None:
        """Drop what nobody hears of any more: who waits is forgotten, a child is killed."""
        self._watched.unregister(told)  # or it would wake us until the child is reaped, which closes it
        if told in self._waiting:
            _, found, food = self._waiting.pop(told)
            close((told, found, food))
        else:
            os.kill(self._living[told], signal.SIGKILL)  # it was not waited for yet, so the id is its own

    def _begin_waiting(self) -> None:
        """Give the free places to those who have waited longest."""
        while self._waiting and len(self._living) < self._children_max:
            told = next(iter(self._waiting))
            self._begin(told, *self._waiting.pop(told))

    def _begin(self, told: int, asked: dict[str, Any], found: int, food: int) -> None:
        nursery = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:  # the machine has no room for another process
            tell(told, failed="machine", type=type(error).__name__)
            self._watched.unregister(told)
            close((told, found, food))
            return
        if pid == 0:
            self._be_a_child(nursery, asked, told, found, food)
        close((found, food))
        self._living[told] = pid
        tell(told, pid=pid)

    def _be_a_child(self, nursery: int, asked: dict[str, Any], told: int, found: int, food: int) -> None:
        try:
            end_with(nursery)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._control.close()
            self._watched.close()  # what is watched is the nursery's: nothing may be unregistered here
            close(self._living)  # or another child's end would not be seen before ours
            for other, (_, *others) in self._waiting.items():
                close((other, *others))
            work(asked, told, found, food)
        finally:
            os._exit(0)

    def _reap(self) -> None:
        """Tell of every child that has ended, and by which signal."""
        while self._living:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            told = next(told for told, living in self._living.items() if living == pid)
            del self._living[told]
            if told in self._watched.get_map():
                self._watched.unregister(told)
            tell(told, signal=os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0)
            os.close(told)

    def _end_all(self) -> None:
        for pid in self._living.values():
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def woken_by_children() -> socket.socket:
    """Return a socket that has something to read once a child has ended."""
    woken, waking = socket.socketpair()
    waking.setblocking(False)
    signal.set_wakeup_fd(waking.detach(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return woken


def close(descriptors: Iterable[int]) -> None:
    """Let descriptors go."""
    for descriptor in descriptors:
        os.close(descriptor)


def end_with(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, be it killed itself."""
    LIBC.prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL))
    if os.getppid() != parent:  # it ended before the kernel knew
        os._exit(0)


def tell(descriptor: int, **said: object) -> None:
    """Write a line that nobody need read any more."""
    with suppress(ConnectionError):
        os.write(descriptor, json.dumps(said).encode() + b"\n")


def work(asked: dict[str, Any], told: int, found: int, food: int) -> None:
    """Do what is asked under its limits and write what was found, or in which way it failed."""
    limit(**asked["limits"])
    try:
        function = named(asked["target"])
        with open(food, "rb") as source, open(found, "wb") as sink:
            if "place" in asked:
                sink.write(json.dumps(function(asked["place"], **asked["options"])).encode())
            else:
                function(source, sink)
    except MemoryError:
        os.write(told, OUT_OF_MEMORY)
    except ConnectionError:  # nobody listens any more
        return
    except OSError as error:  # the file could not be reached: a reader tells damage in other words
        tell(told, failed="machine", type=type(error).__name__)
    except Exception as error:  # whatever a hostile file makes a reader do
        tell(told, failed="fault", type=type(error).__name__)


def limit(memory_bytes: int, cpu_s: int, written_bytes: int) -> None:
    """Bound this process: memory, processor time, each file it writes; no core. Tighter bounds stay.

    The hard bound on time is above the soft one, or the kernel would kill at once: SIGXCPU says what it was for.
    """
    for name, soft, hard in (
        (resource.RLIMIT_AS, memory_bytes, memory_bytes),
        (resource.RLIMIT_CPU, cpu_s, cpu_s + 1),
        (resource.RLIMIT_FSIZE, written_bytes, written_bytes),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, DESCRIPTORS_MAX, DESCRIPTORS_MAX),
    ):
        _, ceiling = resource.getrlimit(name)
        if ceiling == resource.RLIM_INFINITY:
            ceiling = hard
        resource.setrlimit(name, (min(soft, ceiling), min(hard, ceiling)))


def named(target: str) -> Callable[..., Any]:
    """Return the function that `module:function` names."""
    module, _, function = target.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found


if __name__ == "__main__":
    for loaded in sys.argv[3:]:
        import_module(loaded)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl+C is for the service, which closes the socket
    Nursery(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])).serve()
