#!/usr/bin/env python3
"""Enforces the one-way includes and the purity of DESIGN: layers_check.py [ROOT].

A folder may include itself, the folders that LAYERS names for it, and whatever those may include.
A folder that is not in LAYERS is an error, so that a new one is given its place here first.
"""

import pathlib
import re
import sys

import sources

LAYERS = {
    "mapreduce/base": [],
    "mapreduce": ["mapreduce/base"],
    "shuffle/record": ["mapreduce"],
    "shuffle/store": ["shuffle/record"],
    "shuffle/format": ["shuffle/store"],
    "shuffle/sort": ["shuffle/record"],
    "shuffle/merge": ["shuffle/format", "shuffle/sort"],
    "shuffle/engine": ["shuffle/merge"],
    # core names segments by id and counts their bytes; it never sees the shuffle.
    "runtime/core": ["mapreduce/base"],
    "runtime/storage": ["runtime/core", "shuffle/store"],
    "runtime/archive": ["shuffle/store"],
    "runtime/task": ["runtime/storage", "runtime/archive", "shuffle/engine"],
    "runtime/filter": ["runtime/task"],
    # A plugin with the means of the host: it links nothing of it.
    "runtime/stream": ["mapreduce", "runtime/storage"],
    "runtime/protocol": ["runtime/core"],
    "runtime/transport": ["runtime/protocol"],
    "runtime/transfer": ["runtime/transport", "runtime/storage", "shuffle/format"],
    # Worker and coordinator meet in protocol, never in each other's headers.
    "runtime/worker": ["runtime/transfer", "runtime/task"],
    "runtime/coordinator": ["runtime/transport", "runtime/storage"],
    "runtime/local": ["runtime/worker", "runtime/coordinator", "runtime/task"],
    "runtime/client": ["runtime/local"],
    "runtime/comparison": ["runtime/storage"],
    "runtime/cli": ["runtime/client", "runtime/comparison", "runtime/filter"],
    # A program of its own, which starts the command.
    "runtime/hadoop": ["runtime/storage"],
    "examples": ["mapreduce"],
}

# Layers of several folders: what lies below these names belongs to them.
SPREADING = ("mapreduce", "examples")

# Libraries that only one folder may see.
EXCLUSIVE = {
    r"zmq.*": ("runtime/transport",),
    r"sqlite3\.h": ("runtime/storage",),
    r"boost/program_options.*": ("runtime/cli",),
    r"lz4\.h": ("shuffle/format", "runtime/cli"),  # The command tells its version.
    r"(zlib|bzlib|zstd|zstd_errors|lz4frame)\.h": ("runtime/archive",),
    r"hwy/.*": ("shuffle/sort", "shuffle/merge", "shuffle/engine", "examples"),
}

PURE = (
    "mapreduce/base",
    "shuffle/record",
    "shuffle/format",
    "shuffle/sort",
    "shuffle/merge",
    "runtime/core",
)

IMPURE_INCLUDE = re.compile(
    r"(chrono|ctime|time\.h|sys/time\.h|thread|mutex|shared_mutex|condition_variable|future|fstream"
    r"|filesystem|fcntl\.h|unistd\.h|sys/(socket|stat|mman)\.h|pthread\.h|boost/filesystem.*"
    r"|spdlog/.*)"
)

IMPURE_CODE = {
    "a clock": r"\b(steady_clock|system_clock|high_resolution_clock|clock_gettime|gettimeofday)\b"
    r"|(?<!\w)(std::|::)time\s*\(|\btime\s*\(\s*(nullptr|NULL|0)\s*\)",
    "a thread": r"\bstd::(this_thread|thread|jthread|async|mutex|condition_variable)\b"
    r"|\bpthread_\w+|\b(u|nano)sleep\s*\(",
    "a file": r"\b(fopen|fdopen|freopen)\s*\("
    r"|(?<![\w.>:])(::)?(open|openat|creat|mmap)\s*\("
    r"|\bstd::[io]?fstream\b",
    "a socket": r"(?<![\w.>:])(::)?(socket|connect|sendto|recvfrom)\s*\(",
    "unseeded randomness": r"\brandom_device\b|(?<![\w.>:])(std::|::)?s?rand\s*\(",
    "the environment": r"\bgetenv\s*\(",
}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def layer_of(path):
    """The layer of a file or of a project include; None outside the layered folders."""
    folder = str(pathlib.PurePosixPath(path).parent)
    top = folder.split("/")[0]
    if top in SPREADING and folder not in LAYERS:
        return top
    return folder if top in ("mapreduce", "shuffle", "runtime", "examples") else None


def reachable(layer):
    seen, open_layers = set(), [layer]
    while open_layers:
        name = open_layers.pop()
        if name not in seen:
            seen.add(name)
            open_layers += LAYERS[name]
    return seen


def check_include(layer, bracket, target):
    """Why `layer` may not include `target`, or None."""
    other = layer_of(target)
    if other is not None:
        if other not in LAYERS:
            return f"{target} lies in {other}, which has no place in LAYERS"
        if other not in reachable(layer):
            return f"{layer} may not include {other} ({target})"
        return None
    if bracket == '"' and target.split("/")[0] in sources.TOP_FOLDERS:
        if layer != "examples" or not target.startswith("examples/"):
            return f"{layer} may not include {target}"
    for pattern, owners in EXCLUSIVE.items():
        if re.fullmatch(pattern, target) and layer not in owners:
            return f"<{target}> belongs to {', '.join(owners)}"
    if layer in PURE and IMPURE_INCLUDE.fullmatch(target):
        return f"{layer} is pure and may not include <{target}>"
    return None


def check_file(path, text):
    """Yields (line, message) for each rule that the file breaks."""
    layer = layer_of(path)
    if layer is None:
        return
    if layer not in LAYERS:
        yield 1, f"{layer} has no place in LAYERS"
        return
    for match in INCLUDE.finditer(text):
        problem = check_include(layer, match.group(1), match.group(2))
        if problem:
            yield text.count("\n", 0, match.start()) + 1, problem
    if layer in PURE:
        code = sources.code_of(text)
        for what, pattern in IMPURE_CODE.items():
            for match in re.finditer(pattern, code):
                line = code.count("\n", 0, match.start()) + 1
                yield line, f"{layer} is pure and may not use {what} ({match.group().strip()})"


def check(root):
    """Every broken rule under root as path:line: message."""
    problems = []
    for path in sources.files(root, ".h", ".cc"):
        text = (pathlib.Path(root) / path).read_text()
        problems += [f"{path}:{line}: {message}" for line, message in check_file(path, text)]
    return problems


def main():
    problems = check(sys.argv[1] if len(sys.argv) > 1 else ".")
    print("\n".join(problems) or "layers: ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
