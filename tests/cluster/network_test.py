"""Coordinator, workers and clients on hosts of their own, with keys: the output is that of the
embedded runner, whatever cable is pulled in the middle of a job."""

import subprocess
import sys
import time
import unittest

import host_network
from cluster_case import SPILLWAY
from command_case import BIN_DIR, random_text
from host_network import HostNetwork
from slow_job_case import SlowJobCase

HOSTS = ["coordinator", "client", "h0", "h1", "h2"]
PORT = 7077
PAST_THE_LEASE = 4  # Seconds; the lease is 2 s.


class OverTheNetwork(SlowJobCase):
    def setUp(self):
        self.network = HostNetwork(HOSTS)
        self.addCleanup(self.network.close)  # After the processes, which end before.
        super().setUp()

    def new_endpoint(self):
        self.keys = self.dir / "keys"
        subprocess.run([SPILLWAY, "keys", "init", self.keys], check=True, capture_output=True)
        return f"tcp://{self.network.addresses['coordinator']}:{PORT}"

    def on_host(self, name):
        return self.network.command(name)

    def fetched_bytes(self, job):
        """Of the job's map outputs: over the network."""
        return self.ask("jobs", "status", job.summary["job_id"])["fetched_bytes"]


class SameOutput(OverTheNetwork):
    def jobs(self):
        texts = [self.write(f"t{i}.txt", random_text(i, 300_000)) for i in range(3)]
        records = self.dir / "records.bin"
        subprocess.run([BIN_DIR / "tera_generate", "20000", records, "7"], check=True)
        yield "wordcount", texts, ["--split-size", "100K", "--reducers", "3"]
        yield "inverted_index", texts, ["--split-size", "100K", "--reducers", "3"]
        yield "tera_sort", [records], ["--split-size", "200K", "--reducers", "4"]

    def test_the_bytes_are_those_of_the_embedded_runner(self):
        self.start_workers(3)
        for name, inputs, flags in self.jobs():
            with self.subTest(job=name):
                before = sum(self.network.received_bytes(f"h{i}") for i in range(3))
                embedded = self.run_embedded(name, inputs, *flags)
                job = self.run_on_cluster(name, inputs, *flags)
                self.same_tree(embedded, job.output)
                fetched = self.fetched_bytes(job)
                self.assertGreater(fetched, 0)
                self.assertGreater(
                    sum(self.network.received_bytes(f"h{i}") for i in range(3)) - before, fetched)
        self.expect_scratch_empty()


class CutOff(OverTheNetwork):
    def setUp(self):
        super().setUp()
        self.start_workers(3)

    def test_a_worker_that_is_cut_off_is_made_up_for_and_comes_back(self):
        job = self.start_slow()
        self.wait_for_maps(6)
        self.network.cut("h0")
        self.wait_for_workers(2)
        self.network.heal("h0")
        self.finish_same(job)
        self.wait_for_workers(3)
        self.finish_same(self.start_slow())

    def test_a_worker_that_stays_away_is_not_waited_for(self):
        job = self.start_slow()
        self.wait_for_maps(6)
        self.network.cut("h1")
        self.finish_job(job)
        self.same_tree(self.expected, job.output)
        self.network.heal("h1")
        self.wait_for_workers(3)
        self.expect_scratch_empty()

    def test_workers_that_cannot_reach_each_other_do_not_stop_the_job(self):
        job = self.start_slow()
        self.wait_for_maps(6)
        self.network.part("h0", "h1")
        self.finish_same(job)
        self.network.join("h0", "h1")
        self.finish_same(self.start_slow())

    def test_a_coordinator_that_all_lost_is_found_again(self):
        job = self.start_slow()
        self.wait_for_maps(6)
        self.network.cut("coordinator")
        time.sleep(PAST_THE_LEASE)
        self.network.heal("coordinator")
        self.finish_same(job)
        self.wait_for_workers(3)

    def test_a_client_that_is_cut_off_gets_its_answer_later(self):
        job = self.start_slow()
        self.wait_for_maps(6)
        self.network.cut("client")
        time.sleep(PAST_THE_LEASE)
        self.network.heal("client")
        self.finish_same(job)


if __name__ == "__main__":
    reason = host_network.why_not()
    if reason is not None:
        print(f"SKIPPED: {reason}")
        sys.exit(77)
    unittest.main()
