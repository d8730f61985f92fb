#!/usr/bin/env python3
"""Checks that docs/reliability.md speaks of what there is: reliability_check.py [ROOT]

Every test and every path that the page names exists, each promise (a heading with a number) names
at least one test, and each fuzzer and each bug that is planted in the simulation is on the page.
Tests are `Suite.Test`, and `folder/file_test.test_name` below tests/.
"""

import pathlib
import re
import sys

PAGE = "docs/reliability.md"
CODE_SPAN = re.compile(r"`([^`\n]+)`")
PROMISE = re.compile(r"^## (\d+\. .*)$", re.MULTILINE)
SUITE_TEST = re.compile(r"[A-Z]\w*\.[A-Z]\w*")
SCRIPT_TEST = re.compile(r"(?P<script>\w+/\w+_test)\.(?P<name>test_\w+)")
PATH = re.compile(r"(?:\w+/)+[\w.-]*")
PLANTED = "tests/sim/planted_bugs.py"
PLANTED_BUG = re.compile(r'^    Bug\(\s*"([^"]+)"', re.MULTILINE)
GOOGLE_TEST = re.compile(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", re.MULTILINE)


def suite_tests(root):
    """Suite.Test of all sources of tests."""
    return {".".join(found) for path in (root / "tests").rglob("*_test.cc")
            for found in GOOGLE_TEST.findall(path.read_text())}


def is_a_test(span):
    return bool(SUITE_TEST.fullmatch(span) or SCRIPT_TEST.fullmatch(span))


def exists(span, root, known):
    """Whether what the span names is there; spans that name neither test nor path are."""
    if SUITE_TEST.fullmatch(span):
        return span in known
    script = SCRIPT_TEST.fullmatch(span)
    if script:
        path = root / "tests" / f"{script['script']}.py"
        return path.exists() and f"def {script['name']}(self" in path.read_text()
    return not PATH.fullmatch(span) or (root / span).exists()


def check(root):
    """What is wrong with the page, as path:line: message."""
    text = (root / PAGE).read_text()
    known = suite_tests(root)
    problems = []
    for found in CODE_SPAN.finditer(text):
        if not exists(found[1], root, known):
            line = text.count("\n", 0, found.start()) + 1
            problems.append(f"{PAGE}:{line}: there is no {found[1]}")
    promises = list(PROMISE.finditer(text))
    if not promises:
        problems.append(f"{PAGE}:1: the page has no promises")
    for promise in promises:
        section = text[promise.end():].split("\n## ")[0]
        if not any(is_a_test(span) for span in CODE_SPAN.findall(section)):
            line = text.count("\n", 0, promise.start()) + 1
            problems.append(f"{PAGE}:{line}: no test of '{promise[1]}'")
    return problems + missing_from(text, root)


def missing_from(text, root):
    """Fuzzers and planted bugs that the page does not tell of."""
    planted = root / PLANTED
    bugs = PLANTED_BUG.findall(planted.read_text()) if planted.exists() else []
    fuzzers = [f"`tests/fuzz/{path.name}`"
               for path in sorted((root / "tests/fuzz").glob("*_fuzz.cc"))]
    return [f"{PAGE}:1: {name} is not on the page" for name in
            [fuzzer for fuzzer in fuzzers if fuzzer not in text] +
            [f"the planted bug '{bug}'" for bug in bugs if f"| {bug} |" not in text]]


def main(arguments):
    root = pathlib.Path(arguments[0] if arguments else ".").resolve()
    problems = check(root)
    print("\n".join(problems) or "reliability: ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
