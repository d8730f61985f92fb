#!/usr/bin/env python3
"""Checks that tests/chaos/kill_points.py lists what the sources have: kill_points_check.py [ROOT]

Each name is passed at one place of the sources, is in the table, and has a process that dies there;
and the table names no other.
"""

import pathlib
import re
import runpy
import sys

import sources

TABLE = "tests/chaos/kill_points.py"
POINT = re.compile(r'\bKillPoint\("([^"]*)"\)')


def points_of(root):
    """(name, path:line) of each point in the sources."""
    for path in sources.files(root, ".h", ".cc"):
        if path.parts[0] not in ("shuffle", "runtime"):
            continue
        text = (pathlib.Path(root) / path).read_text()
        for found in POINT.finditer(text):
            yield found[1], f"{path}:{text.count(chr(10), 0, found.start()) + 1}"


def check(root):
    """What is wrong with the table or the points, as path:line: message."""
    listed = runpy.run_path(str(pathlib.Path(root) / TABLE))["POINTS"]
    problems, places = [], {}
    for name, place in points_of(root):
        if name in places:
            problems.append(f"{place}: there is a kill point '{name}' at {places[name]} already")
        elif name not in listed:
            problems.append(f"{place}: nobody dies at the kill point '{name}': add it to {TABLE}")
        places.setdefault(name, place)
    for name, (_, passings, processes) in listed.items():
        if name not in places:
            problems.append(f"{TABLE}:1: no source has the kill point '{name}'")
        if not passings or not processes:
            problems.append(f"{TABLE}:1: nobody dies at '{name}'")
    return problems


def main():
    problems = check(sys.argv[1] if len(sys.argv) > 1 else ".")
    print("\n".join(problems) or "kill points: ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
