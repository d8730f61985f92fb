#!/usr/bin/env python3
"""What a release build's programs and plugins are hardened by: hardening_check.py BUILD.

All: position independent, relocations read-only and resolved before the start, no executable stack
and no search path for libraries. Programs: stack protector and checked string functions. Exit 77,
which CTest shows as skipped, without readelf."""

import pathlib
import re
import shutil
import subprocess
import sys

SKIPPED = 77
PROGRAMS = ("bin/spillway", "lib/spillway/hadoop")
PLUGINS = "lib/spillway/plugins"
CHECKED_FUNCTION = re.compile(r"\b__(?!stack_chk)\w+_chk\b")


def readelf(path):
    return subprocess.run(["readelf", "-hldW", "--dyn-syms", path], check=True, text=True,
                          capture_output=True).stdout


def problems_of(path, is_program):
    """What the file lacks, as sentences."""
    text = readelf(path)
    found = []
    flags = re.search(r"\(FLAGS_1\)\s+Flags:(.*)", text)
    flags = flags[1].split() if flags else []
    if not re.search(r"Type:\s+DYN", text) or (is_program and "PIE" not in flags):
        found.append("is not position independent (-fPIE -pie)")
    if "GNU_RELRO" not in text:
        found.append("has relocations that stay writable (-z relro)")
    if "NOW" not in flags:
        found.append("resolves symbols as it goes (-z now)")
    if not re.search(r"GNU_STACK .* RW +0x", text):
        found.append("has an executable stack (-z noexecstack)")
    if "(RUNPATH)" in text or "(RPATH)" in text:
        found.append("searches for libraries in a place of its own (RUNPATH)")
    if is_program and "__stack_chk_fail" not in text:
        found.append("has no stack protector (-fstack-protector-strong)")
    if is_program and not CHECKED_FUNCTION.search(text):
        found.append("uses no checked functions (-D_FORTIFY_SOURCE=2)")
    return [f"{path} {each}" for each in found]


def check(build):
    programs = [build / name for name in PROGRAMS]
    plugins = sorted((build / PLUGINS).glob("*.so"))
    missing = [f"{path} is not there" for path in programs if not path.exists()]
    if missing or not plugins:
        return missing or [f"there is no plugin in {build / PLUGINS}"]
    return [problem for path in programs + plugins
            for problem in problems_of(path, path in programs)]


def main(arguments):
    if shutil.which("readelf") is None:
        print("SKIPPED: readelf is not installed")
        return SKIPPED
    problems = check(pathlib.Path(arguments[0]).resolve())
    print("\n".join(problems) or "hardening: ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
