"""Benchmarks of clusters on one host: whole jobs beside the embedded runner, empty tasks, and the
coordinator with ten thousand simulated workers. run.py --cluster calls run()."""

import json
import os
import re
import subprocess
import threading
import time

import measure
import works

WORKERS = 2
RATIO_GOAL = 1.15
TASKS_GOAL = 50_000
TURN_P99_GOAL_MS = 10
RECOVERY_GOAL_S = 10
EMPTY_P50_GOAL_MS = 0.5
EMPTY_P99_GOAL_MS = 2
START_S = 20
SAMPLE_S = 0.02
TICKS = os.sysconf("SC_CLK_TCK")


def stat_of(pid):
    """(parent, CPU seconds with those of reaped children); None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[1]), sum(int(ticks) for ticks in fields[11:15]) / TICKS


def peak_of(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            match = re.search(r"VmHWM:\s+(\d+) kB", file.read())
    except OSError:
        return 0
    return int(match.group(1)) * 1024 if match else 0


def children_of(pids):
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            stat = stat_of(int(name))
            if stat and stat[0] in pids:
                found.append(int(name))
    return found


class Sampler:
    """Peak memory of the executors, which live only as long as their job: the sum of peaks."""

    def __init__(self, workers):
        self.workers, self.peaks, self.done = workers, {}, threading.Event()
        self.thread = threading.Thread(target=self.loop)

    def loop(self):
        while not self.done.wait(SAMPLE_S):
            for pid in children_of(self.workers):
                self.peaks[pid] = max(self.peaks.get(pid, 0), peak_of(pid))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


class Cluster:
    """A coordinator and WORKERS workers of one slot each, without keys on loopback."""

    def __init__(self, program, directory, memory):
        self.program, self.directory, self.memory = program, directory, memory
        self.processes, self.endpoint = [], None

    def __enter__(self):
        measure.remove(self.directory)
        os.makedirs(self.directory)
        log = os.path.join(self.directory, "coordinator.log")
        self.start("coordinator", "--listen=127.0.0.1:0", f"--log={log}",
                   f"--journal={self.directory}/journal")
        self.endpoint = self.wait_for(log, r"listening on tcp://(\S+)")
        for number in range(WORKERS):
            scratch = os.path.join(self.directory, f"worker-{number}")
            os.mkdir(scratch)
            self.start("worker", f"--coordinator={self.endpoint}", "--slots=1",
                       f"--memory={self.memory // WORKERS}", f"--spill-dir={scratch}",
                       f"--log={scratch}.log")
            self.wait_for(scratch + ".log", r"(registered as worker)")
        return self

    def start(self, *arguments):
        self.processes.append(subprocess.Popen([self.program, *arguments, "--insecure"],
                                               stdin=subprocess.DEVNULL))

    def wait_for(self, log, pattern):
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            if os.path.exists(log):
                with open(log, encoding="utf-8") as file:
                    match = re.search(pattern, file.read())
                if match:
                    return match.group(1)
            time.sleep(0.05)
        raise measure.RunFailed(f"the cluster did not start; see {log}")

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.kill()
            process.wait()
        measure.remove(self.directory)

    def workers(self):
        return [process.pid for process in self.processes[1:]]

    def cpu_s(self):
        return sum(stat_of(process.pid)[1] for process in self.processes)

    def run(self, command, cwd):
        """Runs a client; CPU and memory are those of the client and all of the cluster."""
        before = self.cpu_s()
        with Sampler(self.workers()) as sampler:
            result = measure.run([*command, f"--on={self.endpoint}", "--insecure"], cwd)
            end = time.monotonic() + START_S
            while children_of(self.workers()) and time.monotonic() < end:
                time.sleep(SAMPLE_S)
        result.cpu_s += self.cpu_s() - before
        result.peak_rss_bytes += sum(peak_of(process.pid) for process in self.processes)
        result.peak_rss_bytes += sum(sampler.peaks.values())
        return result


def job_command(program, job, source, output):
    return [program, "run", job, "-i", source, "-o", output, "--reducers", str(WORKERS), "--quiet",
            "--json", "--no-sync"]


def compare(arguments, work, make_input, say):
    """One work, embedded and on a cluster in turn: the table's two rows."""
    program = os.path.join(os.path.abspath(arguments.build), "bin/spillway")
    catalog = works.Catalog("", os.path.abspath(arguments.build), arguments.data, arguments.bytes,
                            arguments.seed, None)
    title, job, entry, memory = {
        "word_count": ("word count", "wordcount", catalog.text(),
                       max(arguments.bytes // 2, 512 << 20)),
        "sort": ("sort", "tera_sort", catalog.records(ascii_lines=False), works.IN_MEMORY_BYTES),
    }[work]
    title = f"{title}, {arguments.bytes / 1e9:.3g} GB"
    say(f"{title}, cluster")
    make_input(arguments, entry)
    cwd, source = arguments.data, entry[2]
    touch = min(3 * arguments.bytes + (256 << 20), measure.memory_bytes("MemAvailable") * 6 // 10)
    embedded_command = job_command(program, job, source, "embedded.out") + [
        "--threads", str(WORKERS), "--memory", str(memory), "--spill-dir", "scratch"]
    runs = {"embedded": [], "cluster": []}
    with Cluster(program, os.path.join(cwd, "cluster"), memory) as cluster:
        for number in range(arguments.runs + 1):
            for name in runs:
                measure.remove(os.path.join(cwd, name + ".out"))
                measure.touch_memory(touch)
                if name == "embedded":
                    os.makedirs(os.path.join(cwd, "scratch"), exist_ok=True)
                    result = measure.run(embedded_command, cwd)
                else:
                    result = cluster.run(job_command(program, job, source, "cluster.out"), cwd)
                if number > 0:
                    runs[name].append(result)
            if number == 0:
                check_same(cwd)
    for name in runs:
        measure.remove(os.path.join(cwd, name + ".out"))
    return rows_of(title, {name: measure.median(values) for name, values in runs.items()})


def check_same(cwd):
    """The outputs are the same bytes, whoever wrote them."""
    for embedded, other in zip(works.parts_of(os.path.join(cwd, "embedded.out")),
                               works.parts_of(os.path.join(cwd, "cluster.out")), strict=True):
        if subprocess.run(["cmp", "-s", embedded, other], check=False).returncode != 0:
            raise measure.RunFailed(f"OUTPUT DIFFERS: {embedded} and {other}")


def rows_of(title, medians):
    def figures(name):
        run = medians[name]
        return [f"{run.wall_s:.3f} s", f"{run.cpu_s:.3f} s", f"{run.peak_rss_bytes / 1e6:.0f}"]

    ratio = medians["cluster"].wall_s / medians["embedded"].wall_s
    return [[title, "embedded, 2 threads", *figures("embedded"), "1.00x", "", ""],
            ["", "cluster, 2 workers of 1 slot", *figures("cluster"), f"{ratio:.2f}x",
             f"{RATIO_GOAL}x", "met" if ratio <= RATIO_GOAL else "MISSED"]]


def figures_of(command):
    result = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if result.returncode != 0:
        raise measure.RunFailed(f"{' '.join(command)}\nended with {result.returncode}")
    return json.loads(result.stdout.strip().splitlines()[-1])


def control_rows(arguments, say):
    """(what, figure, goal, result) of the coordinator and of empty tasks."""
    build = os.path.abspath(arguments.build)
    folder = os.path.join(build, "bin/cluster")
    say("empty tasks")
    empty = figures_of([os.path.join(folder, "empty_stage_bench"),
                        f"--spillway={build}/bin/spillway",
                        f"--plugin={build}/lib/spillway/plugins/wordcount.so"])
    say("the coordinator with simulated workers")
    loop = figures_of([os.path.join(folder, "coordinator_bench"),
                       f"--workers={arguments.cluster_workers}",
                       f"--maps={arguments.cluster_maps}"])

    def row(what, figure, unit, goal, at_least=False):
        met = figure >= goal if at_least else figure <= goal
        return [what, f"{figure:,g} {unit}", f"{goal:,g} {unit}", "met" if met else "MISSED"]

    size = f"{arguments.cluster_workers:,} workers, {arguments.cluster_maps:,} maps"
    return [
        row("an empty task, from assignment to completion, p50", empty["p50_ms"], "ms",
            EMPTY_P50_GOAL_MS),
        row("the same, p99", empty["p99_ms"], "ms", EMPTY_P99_GOAL_MS),
        row(f"coordinator with journal, {size}", loop["tasks_per_second"], "tasks/s", TASKS_GOAL,
            at_least=True),
        row("a turn of its loop, p99", loop["turn_p99_ms"], "ms", TURN_P99_GOAL_MS),
        ["the same, processor time of its thread", f"{loop['turn_cpu_p99_ms']:.3f} ms", "", ""],
        row("recovery in mid-job, until all slots are busy", loop["recovery_s"], "s",
            RECOVERY_GOAL_S),
        ["the coordinator's thread for a task", f"{loop['cpu_us_per_task']:.1f} us", "", ""],
        ["its longest turn", f"{loop['turn_max_ms']:.0f} ms", "", ""],
        ["memory, the simulated workers' included", f"{loop['peak_rss_bytes'] / 1e6:.0f} MB", "",
         ""],
    ]


JOB_HEADINGS = ["work", "program", "wall", "CPU", "peak RSS MB", "wall / embedded's", "goal",
                "result"]
CONTROL_HEADINGS = ["what", "measured", "goal", "result"]


def run(arguments, make_input, table, say):
    """Both tables as text."""
    rows = []
    for work in arguments.works or ("word_count", "sort"):
        if work in ("word_count", "sort"):
            rows += compare(arguments, work, make_input, say)
    return (table(rows, JOB_HEADINGS) + "\n\n" +
            table(control_rows(arguments, say), CONTROL_HEADINGS) + "\n")
