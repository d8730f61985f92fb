"""What the tests of clusters share: a coordinator and workers as processes of their own, jobs on
them, and the checks that nothing is left over."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import time

from command_case import SPILLWAY, CommandCase

SECONDS_MAX = 60
LEASE = "2s"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ClusterCase(CommandCase):
    """One coordinator, no workers yet. Each worker has a spill directory of its own."""

    keys = None  # A subclass may set up keys; else --insecure.

    def setUp(self):
        super().setUp()
        self.endpoint = self.new_endpoint()
        self.journal = self.new_journal()
        self.workers = []
        self.coordinator = None
        self.coordinator_flags = ["--lease", LEASE]
        self.addCleanup(self.stop_everything)
        self.start_coordinator()

    # --- Where processes run, and as whom.

    def new_endpoint(self):
        return f"tcp://127.0.0.1:{free_port()}"

    def new_journal(self):
        return self.dir / "journal"

    def on_host(self, name):
        """What comes before a command to make it run on the host of that name: the coordinator's,
        a worker's (h0, h1, ...) or the client's."""
        return []

    def access(self):
        return ["--keys", str(self.keys)] if self.keys else ["--insecure"]

    # --- Processes.

    def start_coordinator(self, **environment):
        self.begin_coordinator(**environment)
        self.wait_for(lambda: self.ask("cluster", "status") is not None, "a coordinator")

    def begin_coordinator(self, **environment):
        """Starts it and waits for nothing."""
        if self.coordinator is not None:
            self.coordinator.stderr.close()  # Of the one before.
        command = [*self.on_host("coordinator"), SPILLWAY, "coordinator", "--listen", self.endpoint,
                   "--journal", str(self.journal), *self.access(), *self.coordinator_flags,
                   "--log", str(self.dir / "coordinator.log")]
        self.coordinator = subprocess.Popen(command, stderr=subprocess.PIPE,
                                            env={**os.environ, **environment})

    def start_worker(self, *flags, slots=1, memory="256M", host=None, spill_dirs=None,
                     access=None, **environment):
        number = len(self.workers)
        host = host or f"h{number}"
        spill_dirs = spill_dirs or [self.dir / f"spill-{number}"]
        for spill in spill_dirs:
            spill.mkdir(exist_ok=True)
        log = self.dir / f"worker-{number}.log"
        command = [*self.on_host(host), SPILLWAY, "worker", "--coordinator", self.endpoint,
                   *(access or self.access()), "--slots", str(slots), "--memory", memory,
                   "--name", f"w{number}", "--host", host, "--log", str(log),
                   *(word for spill in spill_dirs for word in ["--spill-dir", str(spill)]),
                   *map(str, flags)]
        worker = subprocess.Popen(command, stderr=subprocess.DEVNULL,
                                  env={**os.environ, **environment})
        worker.spill_dirs = spill_dirs
        worker.log = log
        worker.name = f"w{number}"
        self.workers.append(worker)
        return worker

    def start_workers(self, count, **options):
        for _ in range(count):
            self.start_worker(**options)
        self.wait_for_workers(count)

    def wait_for_workers(self, count):
        def there():
            status = self.ask("cluster", "status")
            return status is not None and len(status["workers"]) == count
        self.wait_for(there, f"{count} workers")

    def wait_until_registered(self, worker):
        """Of a worker that was just started: from then on it also stops as it is told."""
        self.wait_for(lambda: worker.log.exists() and "registered" in worker.log.read_text(),
                      f"{worker.name} to register")

    def stop_everything(self):
        for process in [*self.workers, self.coordinator]:
            if process is None or process.poll() is not None:
                continue
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
        if self.coordinator is not None and self.coordinator.stderr:
            self.coordinator.stderr.close()

    def logs(self):
        texts = []
        for path in sorted(self.dir.glob("*.log")):
            texts.append(f"--- {path.name}\n{path.read_text(errors='replace')[-3000:]}")
        return "\n".join(texts)

    def children(self, process):
        """Executors of a worker."""
        try:
            text = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        except FileNotFoundError:
            return []
        return [int(pid) for pid in text.split()]

    # --- Questions and jobs.

    def client(self, *words, access=None):
        """Runs a client's command to its end; the result has its `code`, `out` and `err`."""
        command = [*self.on_host("client"), SPILLWAY, *map(str, words), "--on", self.endpoint,
                   *(self.access() if access is None else access), "--connect-timeout", "5s"]
        result = subprocess.run(command, capture_output=True, timeout=SECONDS_MAX)
        result.code = result.returncode
        result.out = result.stdout.decode(errors="replace")
        result.err = result.stderr.decode(errors="replace")
        return result

    def ask(self, *words):
        """The JSON that a command prints; None when it fails."""
        result = self.client(*words, "--json")
        lines = result.out.splitlines()
        return json.loads(lines[-1]) if result.code == 0 and lines else None

    def job_command(self, verb, job, inputs, output, *flags, args=()):
        command = [*self.on_host("client"), SPILLWAY, verb, str(job)]
        for path in inputs:
            command += ["-i", str(path)]
        command += ["-o", str(output), "--on", self.endpoint, *self.access(), "--json",
                    *map(str, flags)]
        return command + (["--", *map(str, args)] if args else [])

    def start_job(self, job, inputs, *flags, args=()):
        """Begins `spillway run --on`; finish_job waits for it."""
        output = self.new_output()
        process = subprocess.Popen(self.job_command("run", job, inputs, output, *flags, args=args),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.output = output
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def finish_job(self, process, expect=0):
        out, err = process.communicate(timeout=SECONDS_MAX * 4)
        text = err.decode(errors="replace")
        self.assertEqual(process.returncode, expect, f"{text}\n{self.logs()}")
        lines = out.decode(errors="replace").splitlines()
        process.summary = json.loads(lines[-1]) if lines else None
        process.text = text
        self.assertEqual((process.output / "_SUCCESS").exists(), expect == 0)
        staging = list(process.output.parent.glob(f".{process.output.name}.spillway-*"))
        self.wait_for(lambda: not any(p.exists() for p in staging), "staging to go")
        return process

    def run_on_cluster(self, job, inputs, *flags, args=(), expect=0):
        return self.finish_job(self.start_job(job, inputs, *flags, args=args), expect)

    def run_embedded(self, job, inputs, *flags, args=()):
        output = self.new_output()
        command = self.arguments(job, inputs, output, *flags, args=args)
        subprocess.run(command, check=True, capture_output=True, timeout=SECONDS_MAX * 4)
        return output

    def same_tree(self, one, other):
        names = sorted(p.relative_to(one) for p in one.rglob("*"))
        self.assertEqual(names, sorted(p.relative_to(other) for p in other.rglob("*")))
        for name in names:
            if not (one / name).is_dir():
                self.assertEqual((one / name).read_bytes(), (other / name).read_bytes(), name)

    def job_is(self, phase):
        """Whether some job of the cluster is in the phase."""
        answer = self.ask("jobs", "list")
        return answer is not None and any(job["state"] == phase for job in answer["jobs"])

    def wait_for(self, what, name="it"):
        end = time.monotonic() + SECONDS_MAX
        while time.monotonic() < end:
            found = what()
            if found:
                return found
            time.sleep(0.02)
        self.fail(f"waited in vain for {name}\n{self.logs()}")

    def scratch_of_jobs(self):
        """What workers that are alive have of jobs on their disks. It may go meanwhile."""
        return [os.path.join(place, name)
                for worker in self.workers if worker.poll() is None
                for spill in worker.spill_dirs for place, names, _ in os.walk(spill)
                for name in names if name[0] == "j" and name[1:].isdigit()]

    def expect_scratch_empty(self):
        self.wait_for(lambda: not self.scratch_of_jobs(), "the workers' scratch to be empty")
