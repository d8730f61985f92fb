"""What is measured: works, and for each the contestants that do it.

A contestant is a command and the output it leaves. To add one, append to the list of its work;
everything else (interleaving, checking, the table) follows.
"""

import json
import os
import subprocess
from dataclasses import dataclass, field

import measure

MIB = 1 << 20
THREADS = 2
# Not a word of any text, but a few letters that the generated text holds in few lines.
GREP_PATTERN = "qxzj"
# Below it the programs have no room for buffers; a smaller fraction of the data is not run.
MEMORY_BYTES_MIN = 48 * MIB
# More than any job here needs at 1 GB, if the machine has it.
IN_MEMORY_BYTES = min(8 << 30, measure.memory_bytes() * 6 // 10)


@dataclass
class Contestant:
    name: str                       # As --only knows it.
    command: list
    output: str                     # A file, or the directory of parts.
    title: str = ""                 # As the table shows it.
    reference: bool = False         # The limit: others are compared with it.
    goal: "Goal | None" = None
    env: dict = field(default_factory=dict)
    stdout_is_output: bool = False
    json_summary: bool = False      # The last line of stdout tells what was spilled.
    makes_dir: str | None = None    # For scratch files; emptied before each run.


@dataclass
class Goal:
    """At least `speed` of the reference's, or at most `slower` times the wall time of `than`."""

    text: str
    speed: float | None = None
    slower: float | None = None
    than: "Contestant | None" = None
    wall_s: float | None = None

    def met(self, wall_s, reference_wall_s, than_wall_s):
        if self.wall_s is not None:
            return wall_s <= self.wall_s
        if self.slower is not None:
            return than_wall_s is not None and wall_s <= self.slower * than_wall_s
        return reference_wall_s is not None and reference_wall_s / wall_s >= self.speed


@dataclass
class Work:
    name: str
    title: str
    contestants: list
    inputs: list                    # (generator, arguments, path)
    sorted_parts: bool = False      # Parts are merged by line before comparing; else concatenated.
    runs: int | None = None         # Overrides --runs.
    unit: str = "s"


class Catalog:
    """Knows where programs and data are, and makes the works."""

    def __init__(self, root, build, data, size, seed, peers_python):
        self.root, self.build, self.data = root, build, data
        self.size, self.seed, self.peers_python = size, seed, peers_python

    # Programs

    def limit(self, program, arguments, output, reference=True, title="hand-written limit"):
        command = [os.path.join(self.build, "bin/limits", program), "--threads", str(THREADS)]
        return Contestant("limit", command + arguments + [output], output, title,
                          reference=reference)

    def framework(self, job, source, output, memory, goal, title="Spillway", arguments=(),
                  durable=False):
        """No other contestant waits until its output is on the disk; `durable` does, as the command
        does by default."""
        command = [os.path.join(self.build, "bin/spillway"), "run", job, "-i", source, "-o", output,
                   "--reducers", str(THREADS), "--memory", str(memory), "--threads", str(THREADS),
                   "--spill-dir", "scratch", "--quiet", "--json"]
        if not durable:
            command.append("--no-sync")
        if arguments:
            command += ["--", *arguments]
        return Contestant("framework", command, output, title, goal=goal, json_summary=True,
                          makes_dir="scratch")

    def peer(self, name, work, source, output, memory, title):
        script = os.path.join(self.root, "bench/jobs/peer_jobs.py")
        return Contestant(name, [self.peers_python, script, name, work, source, output,
                                 str(memory), "scratch"], output, title, makes_dir="scratch")

    def peers(self, work, source, memory, polars=True):
        if not self.peers_python:
            return []
        found = [self.peer("duckdb", work, source, "duckdb.out", memory, "DuckDB")]
        if polars:
            found.append(self.peer("polars", work, source, "polars.out", memory, "Polars"))
        return found

    # Data

    def text(self, size=None):
        size = size or self.size
        path = f"text-{size}-{self.seed}"
        return ("generate_text", ["--bytes", str(size), "--seed", str(self.seed)], path)

    def records(self, ascii_lines):
        kind = "lines" if ascii_lines else "records"
        size = self.size // 100 * 100
        arguments = ["--bytes", str(size), "--seed", str(self.seed)]
        return ("generate_records", arguments + (["--ascii"] if ascii_lines else []),
                f"{kind}-{size}-{self.seed}")

    # Works, by the names that --works takes

    def word_count(self):
        source = self.text()
        path = source[2]
        memory = max(self.size // 2, 512 * MIB)
        goal = Goal("60 % of the limit", speed=0.6)
        return Work("word_count", f"word count, {self.size / 1e9:.3g} GB", [
            self.limit("word_count", [path], "limit.out"),
            self.framework("wordcount", path, "framework.out", memory, goal),
            Contestant("linked_in", [os.path.join(self.build, "bin/limits/linked_word_count"), path,
                                     "linked.out", str(memory)], "linked.out",
                       "Spillway, plugin linked in"),
            *self.peers("word_count", path, IN_MEMORY_BYTES),
        ], [source], sorted_parts=True)

    def inverted_index(self):
        # The name of the file stands in every posting: a short one, as anybody would choose.
        generator, arguments, path = self.text()
        memory = IN_MEMORY_BYTES
        goal = Goal("60 % of the limit", speed=0.6)
        return Work("inverted_index", f"inverted index, {self.size / 1e9:.3g} GB", [
            self.limit("inverted_index", ["text"], "limit.out"),
            self.framework("inverted_index", "text", "framework.out", memory, goal),
        ], [(generator, arguments, path), ("link", path, "text")], sorted_parts=True)

    def grep(self):
        source = self.text()
        path = source[2]
        goal = Goal("60 % of the limit", speed=0.6)
        gnu = Contestant("gnu_grep", ["grep", "-F", "-e", GREP_PATTERN, path], "grep.out",
                         "GNU grep -F", env={"LC_ALL": "C"}, stdout_is_output=True)
        return Work("grep", f"grep for \"{GREP_PATTERN}\", {self.size / 1e9:.3g} GB", [
            self.limit("grep", ["--", GREP_PATTERN, path], "limit.out"),
            self.framework("grep", path, "framework.out", 512 * MIB, goal,
                           arguments=[GREP_PATTERN]),
            gnu,
        ], [source])

    def sort(self):
        source = self.records(ascii_lines=False)
        path = source[2]
        in_memory = self.framework("tera_sort", path, "framework.out", IN_MEMORY_BYTES,
                                   Goal("50 % of the limit", speed=0.5), "Spillway, in memory")
        durable = self.framework("tera_sort", path, "durable.out", IN_MEMORY_BYTES, None,
                                 "Spillway, in memory, output synced to the disk", durable=True)
        contestants = [self.limit("sort_records", [path], "limit.out"), in_memory, durable]
        for part in (2, 4, 8):
            memory = self.size // part
            if memory < MEMORY_BYTES_MIN:
                continue
            title = f"memory 1/{part} of the data"
            goal = Goal("1.5x of in memory", slower=1.5, than=in_memory)
            contestants += [
                self.limit("sort_records", ["--memory", str(memory), path], f"limit{part}.out",
                           reference=False, title=f"hand-written limit, {title}"),
                self.framework("tera_sort", path, f"framework{part}.out", memory, goal,
                               f"Spillway, {title}"),
            ]
        return Work("sort", f"sort, {self.size / 1e9:.3g} GB of 100-byte records", contestants,
                    [source])

    def sort_lines(self):
        """Programs that sort lines cannot take binary records: the same work on printable ones."""
        source = self.records(ascii_lines=True)
        path = source[2]
        contestants = [
            self.limit("sort_records", [path], "limit.out"),
            self.framework("tera_sort", path, "framework.out", IN_MEMORY_BYTES, None,
                           "Spillway, in memory"),
        ]
        for part in (None, 2):
            memory = self.size // part if part else IN_MEMORY_BYTES
            title = f"memory 1/{part} of the data" if part else "in memory"
            name = f"gnu_sort{part or ''}.out"
            contestants.append(Contestant(
                "gnu_sort", ["sort", f"--parallel={THREADS}", "-S", f"{memory // 1024}K", "-T",
                             "scratch", "-s", "-k1.1,1.10", "-o", name, path], name,
                f"GNU sort, {title}", env={"LC_ALL": "C"}, makes_dir="scratch"))
        contestants += self.peers("sort", path, IN_MEMORY_BYTES)
        return Work("sort_lines", f"sort, {self.size / 1e9:.3g} GB of 100-byte lines", contestants,
                    [source])

    def streaming(self):
        """The pipeline that `spillway stream` stands for, with commands that cost next to
        nothing."""
        source = self.records(ascii_lines=True)
        path = source[2]
        sort = f"sort --parallel={THREADS} -S {IN_MEMORY_BYTES // 1024}K -T scratch"
        pipeline = Contestant("pipeline", ["sh", "-c", f"cat {path} | {sort} | cat"],
                              "pipeline.out", "cat | GNU sort | cat", reference=True,
                              env={"LC_ALL": "C"}, stdout_is_output=True, makes_dir="scratch")
        stream = self.framework("stream", path, "framework.out", IN_MEMORY_BYTES,
                                Goal("3x the pipeline", speed=3.0), "Spillway, -m cat -r cat",
                                arguments=["--mapper=cat", "--reducer=cat"])
        return Work("streaming", f"streaming, {self.size / 1e9:.3g} GB of 100-byte lines",
                    [pipeline, stream], [source], sorted_parts=True)

    def small(self):
        source = self.text(1_000_000)
        path = source[2]
        goal = Goal("50 ms", wall_s=0.050)
        return Work("small", "small job: word count of 1 MB, process start to exit", [
            self.limit("word_count", [path], "limit.out"),
            self.framework("wordcount", path, "framework.out", 256 * MIB, goal),
            *self.peers("word_count", path, IN_MEMORY_BYTES),
        ], [source], sorted_parts=True, runs=20, unit="ms")


# Outputs


def spilled_bytes(stdout):
    """From the summary object in the last line."""
    lines = stdout.strip().splitlines()
    return json.loads(lines[-1]).get("spilled_bytes") if lines else None


def parts_of(output):
    """The files of an output in order: a file, or the parts of a directory without its markers."""
    if not os.path.isdir(output):
        return [output]
    names = sorted(n for n in os.listdir(output) if not n.startswith(("_", ".")))
    return [os.path.join(output, n) for n in names if not n.endswith(".json")]


def same_bytes(work, output, expected, cwd):
    """Whether `output`, its parts put together, is the file `expected`."""
    parts = parts_of(os.path.join(cwd, output))
    together = ["sort", "-m", *parts] if work.sorted_parts else ["cat", *parts]
    with subprocess.Popen(together, stdout=subprocess.PIPE,
                          env={**os.environ, "LC_ALL": "C"}) as source:
        compared = subprocess.run(["cmp", "-s", "-", os.path.join(cwd, expected)],
                                  stdin=source.stdout, check=False)
        source.stdout.close()
    return compared.returncode == 0
