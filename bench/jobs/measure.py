"""Runs a program and says what it took; looks at the machine it runs on."""

import os
import platform
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass

MIB = 1 << 20


@dataclass
class Run:
    """One run of a program."""

    wall_s: float
    cpu_s: float
    peak_rss_bytes: int
    stdout: str
    spilled_bytes: int | None = None


@dataclass
class Summary:
    """The median of several runs, each column by itself."""

    wall_s: float
    cpu_s: float
    peak_rss_bytes: int
    spilled_bytes: int | None


class RunFailed(Exception):
    """A program did not end with exit code 0."""


def run(command, cwd, env=None, stdout_path=None, timeout_s=900):
    """Runs `command` to its end. Peak RSS has this process's own size as its floor."""
    with tempfile.TemporaryFile() as captured, tempfile.TemporaryFile() as errors:
        target = open(stdout_path, "wb") if stdout_path else captured
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=cwd, env={**os.environ, **(env or {})},
                                   stdin=subprocess.DEVNULL, stdout=target, stderr=errors)
        alarm = signal.signal(signal.SIGALRM, lambda *_: process.kill())
        signal.alarm(timeout_s)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except KeyboardInterrupt:
            process.kill()
            raise
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, alarm)
        wall_s = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if stdout_path:
            target.close()
        if process.returncode != 0:
            errors.seek(0)
            raise RunFailed(f"{' '.join(command)}\nended with {process.returncode}: "
                            f"{errors.read()[-2000:].decode(errors='replace').strip()}")
        captured.seek(0)
        text = captured.read().decode(errors="replace")
    return Run(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, text)


def median(runs):
    spilled = [r.spilled_bytes for r in runs if r.spilled_bytes is not None]
    return Summary(statistics.median(r.wall_s for r in runs),
                   statistics.median(r.cpu_s for r in runs),
                   int(statistics.median(r.peak_rss_bytes for r in runs)),
                   int(statistics.median(spilled)) if spilled else None)


def touch_memory(size):
    """Touches and frees `size` bytes, in a child.

    A virtual machine gives freed memory back to its host, and getting it again costs thirty times
    the usual. So every contestant starts with memory that was in use a moment ago.
    """
    child = os.fork()
    if child == 0:
        try:
            block = 64 * MIB
            kept = [bytearray(b"\1") * block for _ in range(max(1, size // block))]
            os._exit(0 if kept else 1)
        except MemoryError:
            os._exit(0)
    os.waitpid(child, 0)


def memory_bytes(field="MemTotal"):
    with open("/proc/meminfo", encoding="ascii") as info:
        for line in info:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    return 0


def cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        for line in info:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def cpu_features():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        for line in info:
            if line.startswith("flags"):
                flags = set(line.split(":", 1)[1].split())
                return [f for f in ("avx2", "avx512bw", "avx512_vbmi2") if f in flags]
    return []


def machine():
    features = ", ".join(cpu_features())
    return (f"{cpu_model()}{f' ({features})' if features else ''}, "
            f"{len(os.sched_getaffinity(0))} cores, {memory_bytes() / 2**30:.0f} GiB, "
            f"Linux {platform.release()}")


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)
