#!/usr/bin/env python3
"""Installs the build, then uses what was installed, out of the tree: builds all examples and runs
word count both ways, makes a project and runs it, and builds a plugin by pkg-config:
install_check.py BUILD_DIR SOURCE_DIR."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

TEXT = "to be or not to be\nthat is the question\n" * 1000
COUNTS = {"to": 2000, "be": 2000, "or": 1000, "not": 1000, "that": 1000, "is": 1000, "the": 1000,
          "question": 1000}


def run(*command):
    ended = subprocess.run([str(word) for word in command], text=True, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if ended.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nexit {ended.returncode}:\n{ended.stdout}")


def counts_of(directory):
    lines = [line for part in sorted(directory.glob("part-*")) for line in part.open()]
    return {word: int(count) for word, count in (line.split("\t") for line in lines)}


def check_project(work, command):
    """What `spillway new` makes finds the installed package, and passes its own tests."""
    project = work / "clicks"
    run(command, "new", project)
    run(command, "run", project)
    if "to" not in counts_of(project / "out"):
        sys.exit(f"the project counted {counts_of(project / 'out')}")
    run("cmake", "--build", project / "build")
    run("ctest", "--test-dir", project / "build", "--no-tests=error")


def check_pkg_config(work, prefix, source):
    found = subprocess.run(["pkg-config", "--cflags", "spillway"], text=True, check=True,
                           stdout=subprocess.PIPE,
                           env=dict(os.environ, PKG_CONFIG_PATH=str(prefix / "share/pkgconfig")))
    plugin = work / "c.so"
    run(os.environ.get("CXX", "c++"), "-shared", "-fvisibility=hidden", *found.stdout.split(),
        source / "examples/word_count/word_count.cc", "-o", plugin)
    run(prefix / "bin/spillway", "run", plugin, "-i", work / "text.txt", "-o", work / "c")
    if counts_of(work / "c") != COUNTS:
        sys.exit(f"built by pkg-config, it counted {counts_of(work / 'c')}")


def main(build, source):
    with tempfile.TemporaryDirectory(prefix="spillway-install-") as directory:
        work = pathlib.Path(directory)
        prefix, own = work / "prefix", work / "own"
        (work / "text.txt").write_text(TEXT)

        run("cmake", "--install", build, "--prefix", prefix)
        command = prefix / "bin/spillway"
        run("cmake", "-S", source / "examples", "-B", own, "-G", "Ninja",
            f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_CXX_FLAGS={os.environ.get('CXXFLAGS', '')}")
        run("cmake", "--build", own)

        built_in = {path.name for path in (prefix / "lib/spillway/plugins").glob("*.so")}
        built = {path.name for path in own.glob("*.so")}
        if built_in != built | {"stream.so"} or "wordcount.so" not in built:
            sys.exit(f"installed plugins {built_in}, built against the package {built}")

        for job, out in (("wordcount", work / "a"), (own / "wordcount.so", work / "b")):
            run(command, "run", job, "-i", work / "text.txt", "-o", out)
            if counts_of(out) != COUNTS:
                sys.exit(f"{job} counted {counts_of(out)}")
        check_project(work, command)
        if shutil.which("pkg-config"):
            check_pkg_config(work, prefix, source)
        print(f"install: ok, {len(built)} plugins")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve())
