"""A cgroup that limits memory, version 1 or 2, below the one that this process is in."""

import os
import pathlib
import time

V1, V2 = pathlib.Path("/sys/fs/cgroup/memory"), pathlib.Path("/sys/fs/cgroup")


def root():
    """Where groups are made, and the name of the limit's file; None: nowhere."""
    if (V1 / "memory.limit_in_bytes").exists():
        return V1, "memory.limit_in_bytes"
    controllers = V2 / "cgroup.subtree_control"
    if controllers.exists() and "memory" in controllers.read_text().split():
        return V2, "memory.max"
    return None


class MemoryGroup:
    def __init__(self, name, limit_bytes):
        place, limit = root()
        self.path = place / f"{name}-{os.getpid()}"
        self.path.mkdir()
        (self.path / limit).write_text(str(limit_bytes))

    @staticmethod
    def why_not():
        """Why this machine has none; None when it has."""
        if root() is None:
            return "there is no cgroup with a memory controller"
        try:
            MemoryGroup("spillway-probe", 1 << 30).close()
        except OSError as error:
            return f"a cgroup cannot be made: {error.strerror}"
        return None

    def enter(self):
        """Of the process that calls it, and those that it starts."""
        (self.path / "cgroup.procs").write_text("0")

    def kills(self):
        """How many processes the kernel has killed for want of memory."""
        for name in ("memory.oom_control", "memory.events"):
            if (self.path / name).exists():
                for line in (self.path / name).read_text().splitlines():
                    if line.startswith("oom_kill "):
                        return int(line.split()[1])
        raise OSError("the kernel does not tell who was killed")

    def close(self):
        for _ in range(50):
            try:
                return self.path.rmdir()
            except OSError:  # Whoever was in it has not quite ended.
                time.sleep(0.1)
        return None
