"""Who still works on a file: a lock that the kernel lets go with its process, whatever clocks and ages say.

Where a file system knows no locks, nothing is held, and age alone tells what was left behind.
"""

import fcntl
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import Lock

PREFIX = "process-"


class OwnedFolder:
    """A folder under `root` that this process alone fills: made when it is first asked for, gone when it is let go."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = Lock()
        self._folder: Path | None = None
        self._descriptor = -1

    def place(self) -> Path:
        """Return the folder, made anew where somebody removed it."""
        with self._lock:
            if self._folder is None or not self._folder.is_dir():
                self._release()
                self._folder = self._make()
            return self._folder

    def _make(self) -> Path:
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=self._root))
        self._descriptor = os.open(folder, os.O_RDONLY)
        hold(self._descriptor)
        return folder

    def _release(self) -> None:
        if self._folder is not None:
            with suppress(OSError):  # what is left in it is a sweep's from now on
                self._folder.rmdir()
            os.close(self._descriptor)
            self._folder = None

    def close(self) -> None:
        """Let the folder go."""
        with self._lock:
            self._release()


def hold(descriptor: int) -> None:
    """Hold an open file or folder until it is closed."""
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # waits for a moment where somebody is asking whether it is held


def is_held(place: Path) -> bool:
    """Tell whether a living process works on a file or folder; raises FileNotFoundError."""
    descriptor = os.open(place, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    else:
        return False
    finally:
        os.close(descriptor)


def remove_abandoned(root: Path, before: float) -> int:
    """Remove files last written before that moment (seconds since 1970) whose process has gone; return how many."""
    removed = 0
    for folder in root.glob(f"{PREFIX}*"):
        with suppress(FileNotFoundError):  # its owner let it go meanwhile
            is_old = folder.stat().st_mtime < before
            if is_held(folder):
                continue
            for file in folder.iterdir():
                if file.stat().st_mtime < before:
                    file.unlink()
                    removed += 1
            if is_old and not any(folder.iterdir()):
                folder.rmdir()
    return removed
