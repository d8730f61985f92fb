#!/usr/bin/env python3
"""Whole-job benchmarks: the framework beside hand-written limits and other programs.

    scripts/dev bench [--bytes SIZE] [--runs N] [--works NAME,...] [--only NAME,...] [--peers]
                      [--markdown FILE] [--micro]
    scripts/dev bench --cluster [--bytes SIZE] [--runs N] [--works NAME,...] [--cluster-maps N]
                      [--cluster-workers N]

Contestants of a work run in turn: one warm-up round, whose outputs are compared byte by byte with
the limit's, then --runs rounds, of which the median counts. Before each run old outputs are removed
and some gigabytes of memory touched, outside the measured time. Data is made once and kept under
build/bench-data; --peers installs DuckDB, Polars and, for iterative works, Spark from PyPI into
build/peers. `--works iterative` stands for the works of iterative.py, measured by iteration.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import venv

import cluster
import iterative
import measure
import works

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WHOLE_WORKS = ("word_count", "inverted_index", "sort", "sort_lines", "streaming", "grep", "small")
WORKS = WHOLE_WORKS + iterative.WORKS
CONTESTANTS = ("limit", "framework", "linked_in", "gnu_sort", "gnu_grep", "duckdb", "polars",
               "memory", "disk", "spark")
PEER_PACKAGES = ("duckdb", "polars")
# Inputs, the outputs of all contestants of a work, and what they spill, in units of the data size.
DISK_PER_BYTE = 12
SUFFIXES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9,
            "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}


def size(text):
    digits = text.rstrip("kKmMgGiIbB")
    suffix = text[len(digits):].lower()
    try:
        return int(float(digits) * SUFFIXES[suffix])
    except (KeyError, ValueError):
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a size such as 200M, 1G (powers of ten) or 512MiB") from None


def names(text):
    return [name.strip() for name in text.split(",") if name.strip()]


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/dev bench", description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--bytes", type=size, default=10**9, help="data per work (default 1G)")
    parser.add_argument("--runs", type=int, default=5, help="measured rounds (default 5)")
    parser.add_argument("--points", type=size, default=2 * 10**6,
                        help="of 16 numbers, for iterative works (default 2M)")
    parser.add_argument("--edges", type=size, default=5 * 10**6,
                        help="of the graph, with a tenth of as many vertices (default 5M)")
    parser.add_argument("--seed", type=int, default=1, help="of the data (default 1)")
    parser.add_argument("--works", type=names,
                        help="some of " + ",".join(WORKS) + "; iterative: the last four")
    parser.add_argument("--only", type=names,
                        help="contestants, some of " + ",".join(CONTESTANTS))
    parser.add_argument("--peers", action="store_true",
                        help="DuckDB, Polars and Spark too (uses pip)")
    parser.add_argument("--build", default=os.path.join(ROOT, "build/release"),
                        help="build directory (default build/release)")
    parser.add_argument("--data", default=os.path.join(ROOT, "build/bench-data"),
                        help="where data and outputs lie (default build/bench-data)")
    parser.add_argument("--markdown", help="also write the table to this file")
    parser.add_argument("--micro", action="store_true", help="the micro benchmarks afterwards")
    parser.add_argument("--cluster", action="store_true",
                        help="clusters on this host instead, and their coordinator")
    parser.add_argument("--cluster-maps", type=int, default=10**6,
                        help="of the simulated job (default 1000000)")
    parser.add_argument("--cluster-workers", type=int, default=10**4,
                        help="that are simulated (default 10000)")
    arguments = parser.parse_args()
    if "iterative" in (arguments.works or []):
        at = arguments.works.index("iterative")
        arguments.works[at:at + 1] = iterative.WORKS
    if arguments.runs < 1 or min(arguments.bytes, arguments.points, arguments.edges) < 1000:
        parser.error("--runs takes at least 1, --bytes, --points and --edges at least 1000")
    for option, given, known in (("--works", arguments.works, WORKS),
                                 ("--only", arguments.only, CONTESTANTS)):
        for name in given or []:
            if name not in known:
                parser.error(f"{option} knows {', '.join(known)}; not '{name}'")
    return arguments


def say(text):
    print(text, file=sys.stderr, flush=True)


def install_peers():
    home = os.path.join(ROOT, "build/peers/venv")
    python = os.path.join(home, "bin/python")
    if not os.path.exists(python):
        venv.create(home, with_pip=True)
    if subprocess.run([python, "-c", "import " + ",".join(PEER_PACKAGES)],
                      check=False, stderr=subprocess.DEVNULL).returncode != 0:
        say("installing " + " and ".join(PEER_PACKAGES))
        subprocess.run([python, "-m", "pip", "install", "-q", *PEER_PACKAGES], check=True)
    return python


def check_disk(arguments):
    os.makedirs(arguments.data, exist_ok=True)
    free = shutil.disk_usage(arguments.data).free
    needed = DISK_PER_BYTE * arguments.bytes
    if free < needed:
        sys.exit(f"{arguments.data} has {free / 1e9:.1f} GB free; --bytes {arguments.bytes} takes "
                 f"up to {needed / 1e9:.1f} GB. Give less --bytes or another --data.")


def make_input(arguments, entry):
    """Makes an input that is not there yet, under another name until it is whole."""
    program, options, name = entry
    path = os.path.join(arguments.data, name)
    if program == "link":
        measure.remove(path)
        os.link(os.path.join(arguments.data, options), path)
    elif not os.path.exists(path):
        say(f"making {name}")
        command = [os.path.join(arguments.build, "bin/limits", program)]
        subprocess.run([*command, *options, path + ".new"], check=True)
        os.rename(path + ".new", path)


class Bench:
    """Runs one work and keeps its figures."""

    def __init__(self, arguments, work):
        self.arguments, self.work = arguments, work
        self.contestants = [c for c in work.contestants
                            if arguments.only is None or c.name in arguments.only]
        self.runs = {id(c): [] for c in self.contestants}
        self.notes = {}
        self.touch_bytes = min(3 * arguments.bytes + (256 << 20),
                               measure.memory_bytes("MemAvailable") * 6 // 10)

    def run_once(self, contestant):
        cwd = self.arguments.data
        measure.remove(os.path.join(cwd, contestant.output))
        if contestant.makes_dir:
            measure.remove(os.path.join(cwd, contestant.makes_dir))
            os.mkdir(os.path.join(cwd, contestant.makes_dir))
        if self.work.name != "small":
            measure.touch_memory(self.touch_bytes)
        output = os.path.join(cwd, contestant.output)
        result = measure.run(contestant.command, cwd, contestant.env,
                             output if contestant.stdout_is_output else None)
        if contestant.json_summary:
            result.spilled_bytes = works.spilled_bytes(result.stdout)
        return result

    def drop(self, contestant, why):
        self.contestants.remove(contestant)
        self.notes[id(contestant)] = f"FAILED: {why.splitlines()[-1]}"[:100]
        say(f"  {contestant.title}: {why}")

    def warm_up(self):
        """Contestants that fail, or whose output is another, are not measured."""
        reference = next((c for c in self.contestants if c.reference), None)
        for contestant in list(self.contestants):
            try:
                self.run_once(contestant)
            except (measure.RunFailed, OSError, ValueError) as error:
                self.drop(contestant, str(error))
                continue
            if reference in self.contestants and contestant is not reference and \
                    not works.same_bytes(self.work, contestant.output, reference.output,
                                         self.arguments.data):
                self.drop(contestant, "OUTPUT DIFFERS from the limit's")

    def measure(self):
        say(self.work.title)
        for entry in self.work.inputs:
            make_input(self.arguments, entry)
        self.warm_up()
        for _ in range(self.work.runs or self.arguments.runs):
            for contestant in self.contestants:
                self.runs[id(contestant)].append(self.run_once(contestant))
        for contestant in self.work.contestants:
            measure.remove(os.path.join(self.arguments.data, contestant.output))

    def wall(self, contestant):
        runs = self.runs.get(id(contestant)) if contestant else None
        return measure.median(runs).wall_s if runs else None

    def rows(self):
        reference = next((c for c in self.contestants if c.reference), None)
        reference_wall = self.wall(reference)
        for contestant in self.work.contestants:
            if id(contestant) in self.notes:
                yield [self.work.title, contestant.title, "-", "-", "-", "-",
                       "-", "", self.notes[id(contestant)]]
            elif self.runs.get(id(contestant)):
                yield self.row(contestant, reference_wall)

    def row(self, contestant, reference_wall):
        figures = measure.median(self.runs[id(contestant)])
        factor, digits = (1000, 1) if self.work.unit == "ms" else (1, 3)
        ratio = f"{figures.wall_s / reference_wall:.2f}x" if reference_wall else ""
        goal, met = contestant.goal, ""
        if goal:
            passed = goal.met(figures.wall_s, reference_wall, self.wall(goal.than))
            met = "met" if passed else "MISSED"
        spilled = figures.spilled_bytes
        return [self.work.title, contestant.title,
                f"{figures.wall_s * factor:.{digits}f} {self.work.unit}",
                f"{figures.cpu_s * factor:.{digits}f} {self.work.unit}",
                f"{figures.peak_rss_bytes / 1e6:.0f}",
                "" if spilled is None else f"{spilled / 1e6:.0f}",
                ratio, goal.text if goal else "", met]


HEADINGS = ["work", "program", "wall", "CPU", "peak RSS MB", "spilled MB", "wall / limit's", "goal",
            "result"]


LEFT = ("work", "program", "what", "goal", "result")


def table(rows, headings=None):
    """Markdown, with columns that also line up in a terminal; a work is named once."""
    headings = headings or HEADINGS
    shown, last = [], None
    for row in rows:
        shown.append(row if row[0] != last else ["", *row[1:]])
        last = row[0]
    widths = [max(len(line[i]) for line in [headings, *shown]) for i in range(len(headings))]
    left = [i for i, heading in enumerate(headings) if heading in LEFT]

    def line(cells):
        return "| " + " | ".join(c.ljust(w) if i in left else c.rjust(w)
                                 for i, (c, w) in enumerate(zip(cells, widths))) + " |"

    rule = "|" + "|".join("-" * (w + 2) if i in left else "-" * (w + 1) + ":"
                          for i, w in enumerate(widths)) + "|"
    return "\n".join([line(headings), rule, *map(line, shown)])


def report(arguments, rows):
    command = "scripts/dev bench " + " ".join(shlex.quote(a) for a in sys.argv[1:])
    return (f"Machine: {measure.machine()}.\n"
            f"Command: `{command.strip()}`; two threads each, page cache warm, warm-up and median "
            f"of {arguments.runs}.\n"
            "Each output was compared byte by byte with the limit's.\n\n"
            f"{table(rows)}\n")


def run_micro(arguments):
    folder = os.path.join(arguments.build, "bin/micro")
    programs = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    if not programs:
        sys.exit(f"no micro benchmarks in {folder}; build them first")
    for program in programs:
        print(f"\n{program}", flush=True)
        subprocess.run([os.path.join(folder, program), "--benchmark_counters_tabular=true"],
                       check=True)


def run_cluster(arguments):
    text = (f"Machine: {measure.machine()}.\n\n"
            f"{cluster.run(arguments, make_input, table, say)}")
    print(text, end="", flush=True)
    if arguments.markdown:
        with open(arguments.markdown, "w", encoding="utf-8") as file:
            file.write(text)


def run_whole(arguments, chosen):
    """The table of these works, and whether something failed."""
    peers_python = install_peers() if arguments.peers else None
    catalog = works.Catalog(ROOT, os.path.abspath(arguments.build), arguments.data, arguments.bytes,
                            arguments.seed, peers_python)
    rows, failed = [], False
    for name in chosen:
        bench = Bench(arguments, getattr(catalog, name)())
        bench.measure()
        rows += bench.rows()
        failed = failed or bool(bench.notes)
    return report(arguments, rows), failed


def main():
    arguments = parse_arguments()
    check_disk(arguments)
    if arguments.cluster:
        return run_cluster(arguments)
    chosen = arguments.works or WORKS
    text, failed = "", False
    whole = [name for name in chosen if name in WHOLE_WORKS]
    if whole:
        text, failed = run_whole(arguments, whole)
    loops = [name for name in chosen if name in iterative.WORKS]
    if loops:
        more, wrong = iterative.run(arguments, loops, ROOT, make_input, table, say)
        text, failed = text + ("\n" if text else "") + more, failed or wrong
    print(text, end="", flush=True)
    if arguments.markdown:
        with open(arguments.markdown, "w", encoding="utf-8") as file:
            file.write(text)
    if arguments.micro:
        run_micro(arguments)
    # A missed goal is a figure to think about; a wrong or missing output is an error.
    if failed:
        sys.exit(1)


if __name__ == "__main__":
    main()
