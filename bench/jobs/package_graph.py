#!/usr/bin/env python3
"""Writes the graph of dependencies between Debian packages, a real graph that every Debian has.

package_graph.py [--lists | FILE...] > EDGES

Lines `package TAB package it depends on`, sorted, each once. Without arguments the packages that
are installed here (/var/lib/dpkg/status); with --lists all that apt knows of (its Packages lists,
after `apt-get update`); or the given files of that form. Depends and Pre-Depends count, with every
alternative of each; a package that nobody describes (a virtual one) is a vertex like the others.
"""

import glob
import re
import subprocess
import sys

STATUS = "/var/lib/dpkg/status"
LISTS = "/var/lib/apt/lists/*_Packages*"
NAME = re.compile(r"\s*([a-z0-9][a-z0-9+.-]*)")


def lines_of(path):
    """The text of a list, which apt may keep compressed."""
    if path.endswith((".lz4", ".gz", ".xz", ".zst")):
        helper = ["/usr/lib/apt/apt-helper", "cat-file", path]
        return subprocess.run(helper, check=True, capture_output=True).stdout.decode().splitlines()
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().splitlines()


def edges_of(lines):
    """Pairs (package, what it depends on) of a file of paragraphs."""
    package = None
    for line in lines:
        if line.startswith("Package: "):
            package = line[len("Package: "):].strip()
        elif line.startswith(("Depends: ", "Pre-Depends: ")):
            for alternative in re.split(r"[,|]", line.partition(": ")[2]):
                name = NAME.match(alternative)
                if name and package:
                    yield package, name[1]


def main(arguments):
    if arguments and arguments[0].startswith("-") and arguments != ["--lists"]:
        print(__doc__, file=sys.stderr)
        return 64
    paths = sorted(glob.glob(LISTS)) if arguments == ["--lists"] else arguments or [STATUS]
    if not paths:
        print("package_graph.py: no lists; run 'apt-get update'", file=sys.stderr)
        return 66
    edges = {edge for path in paths for edge in edges_of(lines_of(path))}
    sys.stdout.writelines(f"{source}\t{target}\n" for source, target in sorted(edges))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
