#!/usr/bin/env python3
"""What of the style can be counted: style_check.py [ROOT]."""

import pathlib
import re
import sys

import sources

LINE_COLUMNS_MAX = 100
HEADER_LINES_MAX = 300
VAGUE_NAME = re.compile(r"utils?|helpers?|common|misc")


def check_file(path, text):
    """Yields (line, message) for each rule that the file breaks."""
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_COLUMNS_MAX:
            yield number, f"{len(line)} columns, more than {LINE_COLUMNS_MAX}"
        if line.rstrip() != line:
            yield number, "white space at the end of the line"
    for word in path.stem.lower().split("_"):
        if VAGUE_NAME.fullmatch(word):
            yield 1, f'"{word}" in a file name says nothing: name what is in it'
    if path.suffix in (".h", ".cc") and not re.fullmatch(r"[a-z0-9_]+", path.stem):
        yield 1, "file names are snake_case"
    if path.suffix == ".h":
        if len(lines) > HEADER_LINES_MAX:
            yield len(lines), f"{len(lines)} lines in a header, more than {HEADER_LINES_MAX}"
        if not lines or not lines[0].startswith(("//", "/*")):
            yield 1, "a header begins with a comment: what it is, who owns it, which threads use it"
        if "#pragma once" not in lines:
            yield 1, "no #pragma once"


def check(root):
    """Every broken rule under root as path:line: message."""
    problems = []
    for path in sources.files(root, ".h", ".cc", ".cmake", "CMakeLists.txt", ".py", ".sh"):
        text = (pathlib.Path(root) / path).read_text()
        problems += [f"{path}:{line}: {message}" for line, message in check_file(path, text)]
    return problems


def main():
    problems = check(sys.argv[1] if len(sys.argv) > 1 else ".")
    print("\n".join(problems) or "style: ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
