"""Iterative works: memory mode and disk mode beside hand-written loops and, with --peers, Spark.

Each contestant prints the seconds of its start (reading and parsing) and of each iteration; the
median of the iterations of a run counts, and of several runs, in turn, the median again.
run.py --works iterative calls run().
"""

import json
import os
import shlex
import statistics
import sys
from dataclasses import dataclass, field

import measure
import spark_peer
import works

ROUNDS = 10
DIMENSIONS = 16
VERTICES_PER_EDGE = 10
RATE = "0.1"
# A loop that ends early would be measured by fewer rounds than the others.
NEVER = "--tolerance=0"
WORKS = ("k_means", "k_means_64", "logistic_regression", "page_rank")
HEADINGS = ["work", "program", "first", "later", "min", "max", "CPU", "peak RSS MB",
            "later / limit's", "later / memory's", "goal", "result"]


@dataclass
class Contestant:
    name: str                       # As --only knows it.
    title: str
    command: list
    output: str | None = None
    starts: list = field(default_factory=list)   # Seconds, one for each measured run.
    laters: list = field(default_factory=list)   # The median iteration of each run.
    iterations: list = field(default_factory=list)
    runs: list = field(default_factory=list)
    failure: str | None = None

    def later(self):
        return statistics.median(self.laters) if self.laters else None


@dataclass
class Work:
    title: str
    source: tuple
    limit_speed: float              # The goal: this share of the limit's speed.
    contestants: list
    little_work: bool = True        # For each byte: disk mode's time is reading and parsing.


class Catalog:
    def __init__(self, arguments, spark):
        self.arguments, self.spark = arguments, spark
        self.build = os.path.abspath(arguments.build)

    def limit(self, program, *words):
        path = os.path.join(self.build, "bin/limits", program)
        return Contestant("limit", "hand-written limit",
                          [path, "--threads", str(works.THREADS), *words, "limit.out"])

    def spillway(self, mode, job, source, *words):
        command = [os.path.join(self.build, "bin/spillway"), "run", job, "-i", source, "-o",
                   f"{mode}.out", "--overwrite", "--mode", mode, "--rounds", str(ROUNDS),
                   "--threads", str(works.THREADS), "--memory", str(works.IN_MEMORY_BYTES),
                   "--spill-dir", "scratch", "--no-sync", "--quiet", "--json", "--", *words]
        return Contestant(mode, f"Spillway, {mode} mode", command, f"{mode}.out")

    def contestants(self, job, source, limit_words, words, spark_words):
        found = [self.limit(job, source, *limit_words),
                 self.spillway("memory", job, source, *words),
                 self.spillway("disk", job, source, *words)]
        if self.spark is not None:
            path = os.path.join(self.arguments.data, source)
            found.append(Contestant("spark", "Spark, cached RDD",
                                    self.spark.command(job, path, *spark_words)))
        return found

    def points(self, clusters):
        """Around so many places; a point's label is the number of its own."""
        count = self.arguments.points
        options = ["--points", str(count), "--dimensions", str(DIMENSIONS), "--labels",
                   str(clusters), "--seed", str(self.arguments.seed)]
        return "generate_points", options, f"points-{count}-{clusters}-{self.arguments.seed}"

    def k_means(self, centres=10):
        source = self.points(10)
        k, rounds = str(centres), str(ROUNDS)
        title = f"k-means, k = {k}, {self.arguments.points / 1e6:.3g} M points"
        return Work(title, source, 0.6, self.contestants(
            "k_means", source[2], [k, rounds], [k, NEVER], [k, rounds]), little_work=centres <= 10)

    def k_means_64(self):
        return self.k_means(64)

    def logistic_regression(self):
        source = self.points(2)
        title = f"logistic regression, {self.arguments.points / 1e6:.3g} M points"
        return Work(title, source, 0.6, self.contestants(
            "logistic_regression", source[2], [RATE, str(ROUNDS)], [f"--rate={RATE}", NEVER],
            [RATE, str(ROUNDS)]))

    def page_rank(self):
        edges = self.arguments.edges
        options = ["--edges", str(edges), "--vertices", str(max(2, edges // VERTICES_PER_EDGE)),
                   "--seed", str(self.arguments.seed)]
        source = ("generate_graph", options, f"graph-{edges}-{self.arguments.seed}")
        return Work(f"PageRank, {edges / 1e6:.3g} M edges", source, 0.25, self.contestants(
            "page_rank", source[2], [str(ROUNDS)], [NEVER], [str(ROUNDS)]))


def run_once(contestant, arguments, measured):
    scratch = os.path.join(arguments.data, "scratch")
    measure.remove(scratch)
    os.mkdir(scratch)
    result = measure.run(contestant.command, arguments.data)
    told = json.loads(result.stdout.strip().splitlines()[-1])
    times = told["iteration_seconds"]
    if not times:
        raise ValueError("no iteration was measured")
    if measured:
        contestant.starts.append(told.get("parse_seconds", told.get("start_seconds")))
        contestant.laters.append(statistics.median(times))
        contestant.iterations += times
        contestant.runs.append(result)


def fail(contestant, why, say):
    contestant.failure = why.strip().splitlines()[-1][:100]
    say(f"  {contestant.title}: {why}")


def run_work(work, arguments, make_input, say):
    """One warm-up, in which both modes must write the same bytes; then the runs, in turn. Whether
    the modes' outputs were compared, and are the same."""
    say(work.title)
    make_input(arguments, work.source)
    playing = [c for c in work.contestants
               if arguments.only is None or c.name in arguments.only]
    work.contestants = playing
    for measured in [False] + [True] * arguments.runs:
        for contestant in [c for c in playing if c.failure is None]:
            try:
                run_once(contestant, arguments, measured)
            except (measure.RunFailed, OSError, ValueError, KeyError, IndexError) as error:
                fail(contestant, str(error) or repr(error), say)
    modes = [c for c in playing if c.output is not None and c.failure is None]
    data = {c.name: b"".join(open(p, "rb").read() for p in
                             works.parts_of(os.path.join(arguments.data, c.output)))
            for c in modes}
    if len(modes) == 2 and len(set(data.values())) > 1:
        for contestant in modes:
            fail(contestant, "THE MODES' OUTPUTS DIFFER", say)
    for name in ("limit.out", "memory.out", "disk.out", "scratch"):
        measure.remove(os.path.join(arguments.data, name))
    return len(modes) == 2 and len(set(data.values())) == 1


def seconds(value):
    return f"{value * 1e3:.2f} ms" if value < 1 else f"{value:.2f} s"


def goal_of(work, contestant, limit, memory):
    """The goal's words, and whether it is met; empty without one, or without what it refers to."""
    mine = contestant.later()
    if contestant.name == "memory" and limit:
        words = f"{work.limit_speed * 100:.0f} % of the limit"
        return words, "met" if limit / mine >= work.limit_speed else "MISSED"
    if contestant.name == "disk" and memory and work.little_work:
        return "20x memory mode's", "met" if mine / memory >= 20 else "MISSED"
    if contestant.name == "spark" and memory:
        return "15x memory mode's", "met" if mine / memory >= 15 else "MISSED"
    return "", ""


def rows_of(work):
    later = {c.name: c.later() for c in work.contestants if c.failure is None}
    limit, memory = later.get("limit"), later.get("memory")
    for contestant in work.contestants:
        if contestant.failure is not None:
            yield [work.title, contestant.title, *["-"] * 8, "", f"FAILED: {contestant.failure}"]
            continue
        mine = contestant.later()
        figures = measure.median(contestant.runs)
        yield [work.title, contestant.title,
               seconds(statistics.median(contestant.starts)), seconds(mine),
               seconds(min(contestant.iterations)), seconds(max(contestant.iterations)),
               f"{figures.cpu_s:.2f} s", f"{figures.peak_rss_bytes / 1e6:.0f}",
               f"{mine / limit:.2f}x" if limit else "", f"{mine / memory:.2f}x" if memory else "",
               *goal_of(work, contestant, limit, memory)]


def find_spark(arguments, root, say):
    """Spark, or None and why not."""
    if not arguments.peers:
        return None, None
    try:
        return spark_peer.Spark(os.path.join(root, "build/peers/spark"),
                                os.path.join(root, "bench/jobs"), works.THREADS), None
    except (spark_peer.Unavailable, OSError) as error:
        say(f"Spark is left out: {error}")
        return None, str(error)


def run(arguments, names, root, make_input, table, say):
    """The table of these works in Markdown, and whether something failed."""
    spark, missing = find_spark(arguments, root, say)
    catalog = Catalog(arguments, spark)
    rows, failed, same = [], False, True
    for name in names:
        work = getattr(catalog, name)()
        same = run_work(work, arguments, make_input, say) and same
        rows += rows_of(work)
        failed = failed or any(c.failure is not None for c in work.contestants)
    command = "scripts/dev bench " + " ".join(shlex.quote(a) for a in sys.argv[1:])
    text = (f"Machine: {measure.machine()}.\n"
            f"Command: `{command.strip()}`; two threads each, {ROUNDS} iterations after the "
            f"first, warm-up and median of {arguments.runs} runs in turn.\n")
    if same:
        text += "Memory mode and disk mode wrote the same bytes.\n"
    if missing:
        text += f"Without Spark: {missing}\n"
    return f"{text}\n{table(rows, HEADINGS)}\n", failed
