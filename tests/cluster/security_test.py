"""Who may do what in a cluster with keys, and what strangers achieve: nothing, at no cost."""

import os
import pathlib
import signal
import socket
import struct
import subprocess
import time
import unittest

import raw_peer
from cluster_case import SPILLWAY, ClusterCase, free_port
from command_case import random_text
from slow_job_case import SLOW, SlowJobCase

EXIT_NOT_ALLOWED = 77
GROWTH_BYTES_MAX = 20 << 20
GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x01"  # ZMTP 3.1: signature and version.


def keys_command(*words):
    return subprocess.run([SPILLWAY, "keys", *map(str, words)], check=True, capture_output=True)


def resident_bytes(process):
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) << 10
    raise AssertionError("no VmRSS")


class WithKeys(ClusterCase):
    def new_endpoint(self):
        self.keys = self.dir / "keys"
        keys_command("init", self.keys)
        return super().new_endpoint()

    def directory_of(self, name, role):
        """A new identity's own directory, as it would lie on another machine."""
        exported = self.dir / f"keys-of-{name}"
        keys_command("add", self.keys, name, "--role", role, "--export", exported)
        return exported


class Roles(WithKeys):
    def setUp(self):
        super().setUp()
        self.text = self.write("t.txt", random_text(1, 20_000))

    def submit(self, access):
        command = self.job_command("submit", "wordcount", [self.text], self.new_output())
        where = command.index("--keys")
        command[where:where + 2] = access
        return subprocess.run([*command, "--connect-timeout", "3s"], capture_output=True,
                              text=True, timeout=60)

    def expect_refused(self, result, *words):
        self.assertEqual(result.returncode, EXIT_NOT_ALLOWED, result.stderr)
        for word in words:
            self.assertIn(word, str(result.stderr))

    def test_a_client_without_keys_is_told_so(self):
        result = self.client("jobs", "list", access=["--insecure"])
        self.assertNotEqual(result.code, 0)
        self.assertIn("--keys", result.err)

    def test_a_key_of_ones_own_making_is_refused(self):
        stranger = self.dir / "stranger"
        keys_command("init", stranger)
        # It knows whom to talk to: that is public.
        name = "coordinator.public"
        (stranger / name).write_bytes((self.keys / name).read_bytes())
        self.expect_refused(self.client("jobs", "list", access=["--keys", str(stranger)]), "key")
        self.expect_refused(self.submit(["--keys", str(stranger)]), "key")

    def test_a_coordinator_of_another_cluster_is_not_trusted(self):
        stranger = self.dir / "stranger"
        keys_command("init", stranger)
        result = self.client("jobs", "list", access=["--keys", str(stranger)])
        self.assertNotEqual(result.code, 0)
        self.assertEqual(result.out, "")

    def test_a_revoked_key_is_refused(self):
        alice = ["--keys", str(self.directory_of("alice", "submitter"))]
        self.assertEqual(self.client("jobs", "list", access=alice).code, 0)
        keys_command("revoke", self.keys, "alice")
        self.expect_refused(self.client("jobs", "list", access=alice), "key")

    def test_a_revoked_workers_session_ends_and_its_job_goes_on(self):
        slow = self.write("slow.txt", b"".join(b"%05d\n" % i for i in range(600)))
        guest = self.directory_of("guest", "worker")
        self.start_workers(1)
        self.start_worker(access=["--keys", str(guest)])
        self.wait_for_workers(2)
        job = self.start_job(SLOW, [slow], "--split-size", "512", args=["slow:10"])
        self.wait_for(lambda: self.slots_taken("w1") > 0, "a task on the guest")
        keys_command("revoke", self.keys, "guest")
        self.wait_for_workers(1)
        self.assertEqual(self.ask("cluster", "status")["workers"][0]["name"], "w0")
        job_id = self.finish_job(job).summary["job_id"]
        logs = self.client("jobs", "logs", job_id).out
        self.assertRegex(logs, r"(?m)^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z worker \d+ \(w1 .*"
                               r"is lost: its key was revoked$")
        self.assertEqual(self.workers[1].wait(timeout=60), EXIT_NOT_ALLOWED)

    def slots_taken(self, name):
        status = self.ask("cluster", "status")
        return sum(w["slots_taken"] for w in status["workers"] if w["name"] == name)

    def test_a_viewer_sees_and_does_nothing(self):
        self.start_workers(1)
        viewer = ["--keys", str(self.directory_of("eve", "viewer"))]
        job = self.run_on_cluster("wordcount", [self.text])
        job_id = job.summary["job_id"]
        for words in [("jobs", "list"), ("jobs", "list", "--all"), ("jobs", "status", job_id),
                      ("jobs", "logs", job_id), ("jobs", "wait", job_id), ("cluster", "status")]:
            result = self.client(*words, access=viewer)
            self.assertEqual(result.code, 0, result.err)
        self.expect_refused(self.client("jobs", "kill", job_id, access=viewer), "viewer",
                            "submitter")
        self.expect_refused(self.submit(viewer), "viewer", "submitter")
        self.assertEqual(len(self.ask("jobs", "list", "--all")["jobs"]), 1)

    def test_a_workers_key_asks_nothing(self):
        worker = ["--keys", str(self.keys), "--key", "worker"]
        for words in [("jobs", "list"), ("cluster", "status"), ("jobs", "kill", "x")]:
            self.expect_refused(self.client(*words, access=worker), "worker")
        self.expect_refused(self.submit(worker), "worker")

    def worker_as(self, *access):
        spill = self.dir / "spill-refused"
        spill.mkdir(exist_ok=True)
        return subprocess.run([SPILLWAY, "worker", "--coordinator", self.endpoint, *access,
                               "--spill-dir", str(spill), "--slots", "1", "--memory", "256M"],
                              capture_output=True, timeout=30)

    def test_only_a_workers_key_works(self):
        for name in ["submitter", "viewer"]:
            with self.subTest(key=name):
                result = self.worker_as("--keys", str(self.keys), "--key", name)
                self.expect_refused(result, name, "role worker")
        revoked = self.directory_of("host-7", "worker")
        keys_command("revoke", self.keys, "host-7")
        self.expect_refused(self.worker_as("--keys", str(revoked)), "key")
        self.assertEqual(self.ask("cluster", "status")["workers"], [])


class NeedsKeys(ClusterCase):
    """Programs that refuse to start. No coordinator is needed."""

    def start_coordinator(self):
        pass

    def refused(self, *words, code):
        result = subprocess.run([SPILLWAY, *map(str, words)], capture_output=True, text=True,
                                timeout=30)
        self.assertEqual(result.returncode, code, result.stderr)
        return result.stderr

    def coordinator_on(self, address, *access, code):
        return self.refused("coordinator", "--listen", f"tcp://{address}:{free_port()}",
                            "--journal", self.journal, *access, code=code)

    def test_tcp_without_keys_does_not_start(self):
        for address in ["127.0.0.1", "0.0.0.0", "*"]:
            text = self.coordinator_on(address, code=64)
            self.assertIn("--keys", text)
        spill = self.dir / "spill"
        text = self.refused("worker", "--coordinator", "127.0.0.1:9", "--spill-dir", spill, code=64)
        self.assertIn("--keys", text)

    def test_insecure_is_for_loopback_only(self):
        for address in ["0.0.0.0", "*"]:
            text = self.coordinator_on(address, "--insecure", code=64)
            self.assertIn("loopback", text)

    def test_a_secret_that_others_can_read_is_refused(self):
        keys = self.dir / "keys"
        keys_command("init", keys)
        secret = keys / "coordinator.secret"
        self.assertEqual(secret.stat().st_mode & 0o777, 0o600)
        secret.chmod(0o640)
        text = self.coordinator_on("127.0.0.1", "--keys", keys, code=EXIT_NOT_ALLOWED)
        self.assertIn(f"chmod 600 {secret}", text.replace("'", ""))
        secret.chmod(0o600)
        (keys / "worker.secret").chmod(0o604)
        text = self.refused("worker", "--coordinator", "127.0.0.1:9", "--keys", keys,
                            "--spill-dir", self.dir / "spill", code=EXIT_NOT_ALLOWED)
        self.assertIn(f"chmod 600 {keys}/worker.secret", text.replace("'", ""))
        (keys / "submitter.secret").chmod(0o666)
        text = self.refused("jobs", "list", "--on", "127.0.0.1:9", "--keys", keys,
                            code=EXIT_NOT_ALLOWED)
        self.assertIn(f"chmod 600 {keys}/submitter.secret", text.replace("'", ""))


class Strangers(WithKeys, SlowJobCase):
    """Raw bytes at both kinds of open ports, while a job runs."""

    def setUp(self):
        super().setUp()
        self.fetch_port = free_port()
        self.start_worker("--fetch-listen", f"127.0.0.1:{self.fetch_port}")
        self.start_worker()
        self.wait_for_workers(2)
        self.finish_same(self.start_slow())  # Whatever a first job makes them keep is there.
        self.ports = [int(self.endpoint.rpartition(":")[2]), self.fetch_port]
        self.targets = [self.coordinator, self.workers[0]]
        self.sockets = []
        self.addCleanup(self.close_sockets)

    def close_sockets(self):
        for each in self.sockets:
            each.close()

    def connect(self, port):
        connection = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.sockets.append(connection)
        return connection

    def send_until_refused(self, port, data, bytes_max):
        """How much the other side took."""
        connection = self.connect(port)
        connection.settimeout(2)
        sent = 0
        try:
            while sent < bytes_max:
                sent += connection.send(data)
        except OSError:
            pass
        return sent

    def disturb(self, attack):
        before = [resident_bytes(process) for process in self.targets]
        job = self.start_slow()
        self.wait_for_maps(2)
        attack()
        after = [resident_bytes(process) for process in self.targets]
        for one, other in zip(before, after):
            self.assertLess(other - one, GROWTH_BYTES_MAX)
        self.finish_same(job)

    def test_garbage(self):
        def attack():
            for port in self.ports:
                for data in [os.urandom(1 << 16), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 1000,
                             bytes(1 << 16), b"\xff" * (1 << 16), b"\n"]:
                    self.send_until_refused(port, data, len(data))
        self.disturb(attack)

    def test_a_greeting_and_a_frame_that_announces_2_gib(self):
        def attack():
            for port in self.ports:
                for mechanism in [b"NULL", b"PLAIN", b"CURVE"]:
                    greeting = GREETING + mechanism.ljust(20, b"\0") + bytes(32)
                    announced = b"\x06" + struct.pack(">Q", 2 << 30)
                    connection = self.connect(port)
                    connection.settimeout(2)
                    try:
                        connection.sendall(greeting + b"\x04\x05READY" + announced)
                    except OSError:
                        continue
                    taken = self.send_until_refused(port, greeting + announced + bytes(1 << 20),
                                                    64 << 20)
                    self.assertLess(taken, 64 << 20, f"{mechanism} at {port}")
        self.disturb(attack)

    def test_many_half_open_connections(self):
        def attack():
            for port in self.ports:
                for i in range(300):
                    connection = self.connect(port)
                    if i % 3:
                        connection.sendall((GREETING + b"CURVE".ljust(20, b"\0"))[:i % 30 + 1])
        self.disturb(attack)
        # Who gets in still does.
        self.assertIsNotNone(self.ask("cluster", "status"))


class Floods(WithKeys):
    """Peers with a key that may ask, ask without end, and take no answers."""

    REQUESTS = 30_000
    PEERS = 4

    def test_questions_whose_answers_nobody_takes_cost_no_memory(self):
        self.start_workers(1)
        keys = raw_peer.keys_in(self.keys / "viewer.secret")
        server = raw_peer.keys_in(self.keys / "coordinator.secret")[0]
        request = raw_peer.frame(raw_peer.REQUEST,
                                 raw_peer.field(1, 1) + raw_peer.field(6, b""))
        before = resident_bytes(self.coordinator)
        sent = 0
        for _ in range(self.PEERS):
            peer = raw_peer.RawPeer(self.endpoint, keys, server)
            self.addCleanup(peer.close)
            peer.send(request)
            self.assertIsNotNone(peer.receive(20_000))  # It is let in, and answered.
            end = time.monotonic() + 20
            while sent < self.REQUESTS and time.monotonic() < end:
                sent += peer.send(request, raw_peer.DONTWAIT)
        self.assertGreater(sent, self.REQUESTS // 4)
        # Others are heard in between, and nothing was kept for those.
        self.assertIsNotNone(self.ask("cluster", "status"))
        self.assertLess(resident_bytes(self.coordinator) - before, GROWTH_BYTES_MAX)


    def test_messages_that_cannot_be_read_fill_no_log(self):
        keys = raw_peer.keys_in(self.keys / "viewer.secret")
        server = raw_peer.keys_in(self.keys / "coordinator.secret")[0]
        peer = raw_peer.RawPeer(self.endpoint, keys, server)
        self.addCleanup(peer.close)
        bad_text = raw_peer.field(1, 1) + raw_peer.field(3, raw_peer.field(1, b"\xff\xfe"))
        for _ in range(1000):
            peer.send(raw_peer.frame(raw_peer.REQUEST, bad_text))
        peer.send(raw_peer.frame(raw_peer.REQUEST, raw_peer.field(1, 1) + raw_peer.field(6, b"")))
        self.assertIsNotNone(peer.receive(20_000))  # All before it was read.
        self.coordinator.kill()
        told = self.coordinator.stderr.read() + (self.dir / "coordinator.log").read_bytes()
        self.assertLess(len(told), 5_000)


class Names(WithKeys):
    """Ids and names that would lead elsewhere, where people give them."""

    def test_names_that_lead_elsewhere_reach_no_file(self):
        before = sorted(str(path) for path in self.dir.rglob("*"))
        for words in [("jobs", "status", "../../etc/passwd"), ("jobs", "logs", "../x"),
                      ("jobs", "kill", "..\n/x"), ("jobs", "wait", "a/../../b")]:
            result = self.client(*words)
            self.assertEqual(result.code, 66, result.err)
        for words in [("add", self.keys, "../../stranger", "--role", "viewer"),
                      ("add", self.keys, "a/b", "--role", "viewer"),
                      ("revoke", self.keys, "../coordinator")]:
            result = subprocess.run([SPILLWAY, "keys", *map(str, words)], capture_output=True)
            self.assertIn(result.returncode, [64, 66], result.stderr)
        self.assertEqual(sorted(str(path) for path in self.dir.rglob("*")), before)

    def test_names_of_workers_and_side_files_are_no_paths(self):
        for flag in ["--host", "--name"]:
            result = subprocess.run(
                [SPILLWAY, "worker", "--coordinator", self.endpoint, "--spill-dir", self.spill,
                 *self.access(), flag, "../../../stranger"],
                capture_output=True, text=True, timeout=30)
            self.assertEqual(result.returncode, 64, result.stderr)
            self.assertIn("slashes", result.stderr)
        self.start_workers(1)
        text = self.write("t.txt", b"a b\n")
        self.run_on_cluster("wordcount", [text], "--file", f"../../../stranger={text}")
        self.expect_scratch_empty()
        self.assertEqual(list(self.dir.rglob("*stranger*")), [])
        self.assertEqual(list(self.dir.parent.glob("stranger*")), [])


class PlantedLinks(ClusterCase):
    """Links that somebody else has left where a cluster writes."""

    def setUp(self):
        super().setUp()
        self.trap = self.dir / "trap"
        self.trap.mkdir()
        self.text = self.write("t.txt", random_text(1, 20_000))

    def expect_untouched(self):
        self.assertEqual(list(self.trap.iterdir()), [])

    def test_in_the_place_of_scratch(self):
        spill = self.dir / "planted-spill"
        spill.mkdir()
        (spill / f"spillway-{os.getuid()}").symlink_to(self.trap)
        result = subprocess.run([SPILLWAY, "worker", "--coordinator", self.endpoint, "--insecure",
                                 "--spill-dir", spill, "--memory", "256M"],
                                capture_output=True, text=True, timeout=30)
        self.assertEqual(result.returncode, EXIT_NOT_ALLOWED, result.stderr)
        self.assertIn(f"spillway-{os.getuid()}", result.stderr)
        self.expect_untouched()

    def test_in_the_place_of_an_output(self):
        self.start_workers(1)
        output = self.new_output()
        output.symlink_to(self.trap)
        command = self.job_command("run", "wordcount", [self.text], output, "--overwrite")
        result = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, 73, result.stderr)
        self.assertTrue(output.is_symlink())
        self.expect_untouched()

    def test_in_a_running_jobs_staging(self):
        slow = self.write("slow.txt", b"".join(b"%05d\n" % i for i in range(600)))
        self.start_workers(1)
        job = self.start_job(SLOW, [slow], "--split-size", "512", args=["slow:5"])
        staging = self.wait_for(
            lambda: list(self.dir.glob(f".{job.output.name}.spillway-*")), "staging")[0]
        attempts = self.wait_for(lambda: list(staging.glob("attempts")), "attempts")[0]
        victim = self.write("victim", b"not yours")
        # Where parts and what is written last will lie.
        for name in ["part-00000", "_manifest.json", "_SUCCESS"]:
            (staging / name).symlink_to(victim)
        for attempt in range(1000):
            (attempts / f"part-00000.{attempt}").symlink_to(victim)
        code = job.wait(timeout=120)
        self.assertEqual(victim.read_bytes(), b"not yours")
        if code == 0:
            for path in job.output.iterdir():
                self.assertFalse(path.is_symlink(), path)


class Executors(SlowJobCase):
    def test_executors_die_with_a_worker_that_is_killed(self):
        self.start_workers(1)
        self.start_slow()
        self.wait_for_maps(2)
        executors = self.children(self.workers[0])
        self.assertTrue(executors)
        self.workers[0].kill()
        self.workers[0].wait()
        self.wait_for(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in executors),
                      "the executors' end")

    def test_executors_gain_no_privileges_and_leave_no_cores(self):
        self.start_workers(1)
        job = self.start_slow()
        self.wait_for_maps(2)
        executors = self.children(self.workers[0])
        self.assertTrue(executors)
        for pid in executors:
            place = pathlib.Path(f"/proc/{pid}")
            self.assertRegex((place / "status").read_text(), r"(?m)^NoNewPrivs:\s+1$")
            self.assertRegex((place / "limits").read_text(), r"(?m)^Max core file size +0 +0 ")
        self.finish_same(job)


class Secrets(WithKeys, SlowJobCase):
    def test_secrets_are_in_no_arguments_environment_or_log(self):
        secrets = [path.read_text().strip().splitlines()[-1].encode()
                   for path in self.keys.glob("*.secret")]
        self.assertEqual(len(secrets), 4)
        self.assertTrue(all(len(secret) == 40 for secret in secrets))
        self.start_workers(2)
        job = self.start_slow()
        self.wait_for_maps(2)
        self.assertTrue(self.children(self.workers[0]))
        self.expect_in_no_process(secrets)
        self.finish_same(job)
        for process in self.workers:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)
        self.expect_in_no_file(secrets)

    def expect_in_no_process(self, secrets):
        seen = 0
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            for name in ["cmdline", "environ"]:
                try:
                    data = (process / name).read_bytes()
                except OSError:
                    continue  # It ended.
                seen += b"spillway" in data
                for secret in secrets:
                    self.assertNotIn(secret, data, process / name)
        self.assertGreater(seen, 4)

    def expect_in_no_file(self, secrets):
        """But those of the keys."""
        for path in self.dir.rglob("*"):
            if not path.is_file() or path.suffix == ".secret":
                continue
            data = path.read_bytes()
            for secret in secrets:
                self.assertNotIn(secret, data, path)


if __name__ == "__main__":
    unittest.main()
