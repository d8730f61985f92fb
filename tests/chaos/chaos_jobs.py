"""The jobs that suffer: what they read, how they are run, and what they must write, checked once
against an oracle that is not Spillway."""

import collections
import dataclasses
import json
import pathlib
import shutil
import subprocess

from command_case import BIN_DIR, SPILLWAY, TEST_PLUGINS, count_words, random_text

KEY_BYTES, RECORD_BYTES = 10, 100  # Of tera_sort.


@dataclasses.dataclass
class ChaosJob:
    job: str
    input: pathlib.Path
    flags: list
    args: list  # As the plugin gets them when the job is to last.
    expected: pathlib.Path  # The output.
    maps: int


def lines_of(output):
    return [line for part in sorted(output.glob("part-*"))
            for line in part.read_bytes().splitlines(keepends=True)]


def make_count(directory):
    """Counts lines, and takes its time with each line and each key."""
    data = b"".join(b"%05d %s\n" % (i * 7919 % 503, b"x" * (9 + i % 5)) for i in range(900))
    (directory / "count.in").write_bytes(data)
    counts = collections.Counter(data.splitlines())
    return (str(TEST_PLUGINS / "faulty.so"), ["--split-size", str(len(data) // 24 + 1),
                                              "--reducers", "4"], ["paced:3"], ["paced:0"],
            lambda output: sorted(lines_of(output)) ==
            sorted(b"%s\t%d\n" % item for item in counts.items()))


def make_words(directory):
    text = random_text(5, 6_000_000)
    (directory / "words.in").write_bytes(text)
    return ("wordcount", ["--split-size", "256K", "--reducers", "4"], [], [],
            lambda output: sorted(lines_of(output)) == count_words(text))


def make_sort(directory):
    path = directory / "sort.in"
    subprocess.run([str(BIN_DIR / "tera_generate"), "120000", str(path), "7"], check=True)
    data = path.read_bytes()
    records = sorted((data[i:i + RECORD_BYTES] for i in range(0, len(data), RECORD_BYTES)),
                     key=lambda record: record[:KEY_BYTES])
    return ("tera_sort", ["--split-size", "512K", "--reducers", "4"], [], [],
            lambda output: b"".join(p.read_bytes() for p in sorted(output.glob("part-*"))) ==
            b"".join(records))


def make_loop(directory):
    lines = [b"%d %d.%03d %d.%03d %d\n" % (i % 2, i * 7919 % 101, i % 1000, i * 31 % 57,
                                          i * 13 % 1000, i * 17 % 23) for i in range(12_000)]
    (directory / "loop.in").write_bytes(b"".join(lines))
    args = ["--tolerance=0", "--rate=0.0001"]
    # What the loop must come to is what its other mode, a chain of ordinary jobs, comes to.
    flags = ["--split-size", "40K", "--rounds", "250"]
    return ("logistic_regression", [*flags, "--checkpoint-every", "25"], args, args, None)


MAKERS = {"count": make_count, "words": make_words, "sort": make_sort, "loop": make_loop}
DISK_ROUNDS = 20  # A round of disk mode is a job: so many are compared.


def run_embedded(directory, job, path, output, flags, args):
    command = [SPILLWAY, "run", job, "-i", str(path), "-o", str(output), "--spill-dir",
               str(directory), "--memory", "256M", "--json", *flags, "--", *args]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(ran.stdout.splitlines()[-1])


def same_loop_in_disk_mode(directory, job, path, flags, args):
    outputs = []
    flags = [*flags[:flags.index("--rounds")], "--rounds", str(DISK_ROUNDS)]
    for mode in ("memory", "disk"):
        outputs.append(directory / f"loop-{mode}")
        run_embedded(directory, job, path, outputs[-1], [*flags, "--mode", mode], args)
    return lines_of(outputs[0]) == lines_of(outputs[1])


def make_job(directory, name):
    """Writes NAME.in, NAME.out and NAME.json into the directory."""
    job, flags, args, fast_args, is_right = MAKERS[name](directory)
    path, output = directory / f"{name}.in", directory / f"{name}.out"
    summary = run_embedded(directory, job, path, output, flags, fast_args)
    right = (is_right(output) if is_right else
             same_loop_in_disk_mode(directory, job, path, flags, args))
    if not right:
        raise AssertionError(f"{name}: without any fault the output is not that of the oracle")
    (directory / f"{name}.json").write_text(json.dumps(
        {"job": job, "flags": flags, "args": args, "maps": summary["maps"]}))


def make_jobs(directory):
    for name in MAKERS:
        make_job(directory, name)


def job_of(directory, name):
    """What make_jobs has made."""
    kept = json.loads((directory / f"{name}.json").read_text())
    return ChaosJob(**kept, input=directory / f"{name}.in", expected=directory / f"{name}.out")


def remove_jobs(directory):
    shutil.rmtree(directory, ignore_errors=True)
