#!/usr/bin/env python3
"""Builds the documentation site as `scripts/dev docs` does, and looks whether all is in it:
site_check.py BUILD_DIR [ROOT]. Exits with 77 where what builds it is not installed."""

import pathlib
import re
import shutil
import subprocess
import sys

SKIPPED = 77
PAGES = "docs/reference/api/*.md"
PUBLIC = ("mapreduce/*.h", "mapreduce/builtin/*.h")
# Headers that are not for users: the C interface has its own page, the others are between the
# stages of chains and the rounds of loops.
NOT_SHOWN = {"mapreduce/abi.h", "mapreduce/abi_chain.h", "mapreduce/chain_file.h",
             "mapreduce/edge_batch.h", "mapreduce/loop_file.h", "mapreduce/mapreduce.h",
             "mapreduce/value_table.h", "mapreduce/version.h", "mapreduce/vertex_values.h"}


def missing_packages(root):
    """Those of the group docs in scripts/packages.txt that are not installed."""
    names = re.findall(r"^docs (\S+)", (root / "scripts/packages.txt").read_text(), re.MULTILINE)
    if shutil.which("dpkg-query") is None:
        return names
    return [name for name in names if subprocess.run(
        ["dpkg-query", "-W", "-f=${db:Status-Status}", name], text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout != "installed"]


def headers_not_shown(root):
    """Public headers that no page of the C++ API shows, and shown ones that do not exist."""
    root = pathlib.Path(root)
    shown = {path for page in root.glob(PAGES)
             for path in re.findall(r"^```\{doxygenfile\} (\S+)$", page.read_text(), re.MULTILINE)}
    public = {str(path.relative_to(root)) for glob in PUBLIC for path in root.glob(glob)}
    return sorted(public - shown - NOT_SHOWN), sorted(
        path for path in shown if not (root / path).exists())


def main(build, root):
    root = pathlib.Path(root).resolve()
    forgotten, gone = headers_not_shown(root)
    if forgotten or gone:
        return f"{PAGES}: not shown: {forgotten}; shown, but not there: {gone}"
    missing = missing_packages(root)
    if missing:
        print(f"SKIPPED: not installed: {', '.join(missing)}; scripts/dev setup does it")
        return SKIPPED
    site = pathlib.Path(build).resolve() / "docs"
    ended = subprocess.run([root / "scripts/dev", "docs", site], stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if ended.returncode != 0:
        return f"scripts/dev docs: exit {ended.returncode}:\n{ended.stdout}"
    for page in sorted((root / "docs").rglob("*.md")):
        made = site / page.relative_to(root / "docs").with_suffix(".html")
        if not made.exists():
            return f"{page.relative_to(root)} is not in the site"
    job = (site / "reference/api/writing.html").read_text()
    if "NewJob" not in job or "The start of every description" not in job:
        return "the C++ API has no NewJob() with its description"
    print("site: ok")
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "."))
