#!/usr/bin/env python3
"""The Debian packages, made by CPack: package_check.py [--clean-root] BUILD_DIR.

Without --clean-root: what they hold, and what they depend on. With it: they are installed by apt in
a Debian 12 of their own, made by debootstrap, and whoever has nothing else makes a project there,
builds it, tests it and runs it. That takes some minutes, root and a mirror (SPILLWAY_DEBIAN_MIRROR,
or deb.debian.org). Exit 77, which CTest shows as skipped, where a tool or the mirror is missing."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import urllib.request

SKIPPED = 77
EPOCH = "1700000000"  # Any moment; whoever builds a release takes that of the sources.
MIRROR = os.environ.get("SPILLWAY_DEBIAN_MIRROR", "http://deb.debian.org/debian")
RUNTIME_DEPENDS = ("libc6", "libstdc++6", "libzmq5", "libprotobuf32", "libboost-filesystem1.74.0")
DEV_DEPENDS = ("spillway (= ", "cmake (>= 3.25)", "g++")
RUNTIME_FILES = ("usr/bin/spillway", "usr/lib/spillway/plugins/wordcount.so",
                 "usr/lib/spillway/hadoop", "usr/lib/spillway/hadoop-streaming.jar",
                 "usr/lib/systemd/system/spillway-worker.service",
                 "usr/share/man/man1/spillway-run.1",
                 "usr/share/bash-completion/completions/spillway",
                 "usr/share/spillway/exports/hadoop-streaming/run",
                 "usr/share/doc/spillway/copyright", "usr/share/doc/spillway/quickstart.md",
                 "usr/share/doc/spillway/tutorials/word_count.md")
DEV_FILES = ("usr/include/spillway/mapreduce/mapreduce.h",
             "usr/include/spillway/mapreduce/testing.h",
             "usr/lib/cmake/spillway/spillwayConfig.cmake", "usr/share/pkgconfig/spillway.pc",
             "usr/share/spillway/templates/join/my_job.cc")
# As a user would type it, in the clean root.
FIRST_HOUR = """
set -eux
cd "$(mktemp -d)"
spillway version
for kind in counting join sort; do
  spillway new my_$kind --kind $kind
  cd my_$kind
  spillway run .
  test -s out/part-00000
  cmake -S . -B build
  cmake --build build
  ctest --test-dir build --no-tests=error
  cd ..
done
spillway run wordcount -i my_counting/data -o counts
grep -q 'the' counts/part-00000
"""


def run(*command, **more):
    ended = subprocess.run([str(word) for word in command], text=True, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **more)
    if ended.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nexit {ended.returncode}:\n{ended.stdout}")
    return ended.stdout


def make_packages(build, work):
    """The .deb files of the build, by the package's name."""
    run("cpack", "--config", build / "CPackConfig.cmake", "-B", work,
        env=dict(os.environ, SOURCE_DATE_EPOCH=EPOCH))
    return {run("dpkg-deb", "-f", deb, "Package").strip(): deb for deb in work.glob("*.deb")}


def check_same_again(debs, build, work):
    """Packed at another time, they have the same bytes."""
    again = make_packages(build, work / "again")
    for name, deb in debs.items():
        if again[name].read_bytes() != deb.read_bytes():
            sys.exit(f"{name} has other bytes each time that it is packed")


def check_content(debs, work):
    if set(debs) != {"spillway", "spillway-dev"}:
        sys.exit(f"the packages are {sorted(debs)}")
    for name, files, depends in (("spillway", RUNTIME_FILES, RUNTIME_DEPENDS),
                                 ("spillway-dev", DEV_FILES, DEV_DEPENDS)):
        root = work / name
        run("dpkg-deb", "-x", debs[name], root)
        missing = [file for file in files if not (root / file).is_file()]
        if missing:
            sys.exit(f"{name} is without {missing}")
        stated = run("dpkg-deb", "-f", debs[name], "Depends")
        missing = [word for word in depends if word not in stated]
        if missing:
            sys.exit(f"{name} depends on {stated.strip()}, and not on {missing}")
    unit = (work / "spillway/usr/lib/systemd/system/spillway-worker.service").read_text()
    if "ExecStart=/usr/bin/spillway worker" not in unit:
        sys.exit("the units do not start /usr/bin/spillway:\n" + unit)
    # The command finds its jobs from where it lies.
    run(work / "spillway/usr/bin/spillway", "plugin", "inspect", "wordcount")
    check_hadoop(work / "spillway/usr/lib/spillway/hadoop", work)


def check_hadoop(hadoop, work):
    """The stand-in finds the command in the same way."""
    (work / "in.txt").write_text("b\na\n")
    run(hadoop, "jar", "hadoop-streaming.jar", "-input", work / "in.txt", "-output", work / "out",
        "-mapper", "cat", "-reducer", "cat")
    if (work / "out/part-00000").read_text() != "a\t\nb\t\n":
        sys.exit("the packaged hadoop wrote " + (work / "out/part-00000").read_text())


def why_no_root():
    """Why no clean root can be made here, or None."""
    if os.environ.get("SPILLWAY_CLEAN_ROOT") != "1":
        return "it takes six minutes: set SPILLWAY_CLEAN_ROOT=1"
    for tool in ("debootstrap", "unshare", "chroot"):
        if shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin:/sbin") is None:
            return f"{tool} is not installed"
    if os.geteuid() != 0:
        return "only root makes a root directory"
    try:
        urllib.request.urlopen(f"{MIRROR}/dists/bookworm/Release", timeout=20).close()
    except OSError as error:
        return f"{MIRROR} does not answer: {error}"
    return None


def in_root(root, script):
    """Runs a script in the root, with a /proc of its own that ends with it."""
    return run("unshare", "--mount", "--pid", "--fork", f"--mount-proc={root}/proc",
               "chroot", root, "/bin/bash", "-c", script,
               env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8",
                    "DEBIAN_FRONTEND": "noninteractive"})


def check_clean_root(debs, work):
    root = work / "root"
    run("debootstrap", "--variant=minbase", "bookworm", root, MIRROR)
    # So that apt in there finds the mirror as this machine does.
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    for deb in debs.values():
        shutil.copy(deb, root / "tmp")
    in_root(root, "set -e; apt-get update; apt-get install -y /tmp/spillway*.deb")
    in_root(root, FIRST_HOUR)


def main(arguments):
    clean_root = arguments[0] == "--clean-root"
    build = pathlib.Path(arguments[-1]).resolve()
    for tool in ("cpack", "dpkg-deb", "dpkg-shlibdeps"):
        if shutil.which(tool) is None:
            print(f"SKIPPED: {tool} is not installed")
            return SKIPPED
    why = why_no_root() if clean_root else None
    if why is not None:
        print(f"SKIPPED: {why}")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="spillway-packages-") as directory:
        work = pathlib.Path(directory)
        debs = make_packages(build, work)
        if clean_root:
            check_clean_root(debs, work)
        else:
            check_content(debs, work)
            check_same_again(debs, build, work)
    print("packages: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
