"""The same job gives the same bytes embedded and on 1, 2 and 5 workers, over files and over the
network, on workers of the protocol's version before, and as a small job in the coordinator's own
process."""

import bz2
import gzip
import random
import subprocess
import unittest

from cluster_case import ClusterCase
from command_case import BIN_DIR, TEST_PLUGINS, random_text


class SameOutput(ClusterCase):
    def inputs(self):
        texts = [self.write(f"t{i}.txt", random_text(i, 300_000)) for i in range(3)]
        records = self.dir / "records.bin"
        subprocess.run([BIN_DIR / "tera_generate", "20000", records, "7"], check=True)
        return texts, [records]

    def jobs(self):
        texts, records = self.inputs()
        yield "wordcount", texts, ["--split-size", "100K", "--reducers", "3"]
        yield "inverted_index", texts, ["--split-size", "100K", "--reducers", "3"]
        yield "tera_sort", records, ["--split-size", "200K", "--reducers", "4"]
        yield "grep", texts, ["--split-size", "100K"]
        # Of the second one each split has a block or two.
        packed = [self.write("t0.txt.gz", gzip.compress(texts[0].read_bytes())),
                  self.write("t1.txt.bz2", bz2.compress(texts[1].read_bytes(), 1)), texts[2]]
        yield "wordcount", packed, ["--split-size", "100K", "--reducers", "3"]
        rows = [b"".join(b"k%d\t%d\n" % (i * i % 997, i) for i in range(n)) for n in (9000, 4000)]
        named = [f"left={self.write('left.tsv', rows[0])}",
                 f"right={self.write('right.tsv.gz', gzip.compress(rows[1]))}"]
        yield "join", named, ["--split-size", "100K", "--reducers", "3"]

    def check_all(self):
        for job, inputs, flags in self.jobs():
            args = ["a"] if job == "grep" else []
            with self.subTest(job=job):
                embedded = self.run_embedded(job, inputs, *flags, args=args)
                on_cluster = self.run_on_cluster(job, inputs, *flags, args=args)
                self.same_tree(embedded, on_cluster.output)
                self.assertEqual(on_cluster.summary["status"], "OK")
        self.expect_scratch_empty()

    def test_on_one_worker(self):
        self.start_workers(1, slots=2)
        self.check_all()

    def test_on_two_workers_of_one_host(self):
        self.start_workers(2, host="same")
        self.check_all()

    def test_on_five_workers_over_the_network(self):
        self.start_workers(5)
        self.check_all()

    def test_on_workers_of_two_protocol_versions(self):
        self.start_worker("--protocol", "1")
        self.start_worker()
        self.wait_for_workers(2)
        self.check_all()


class Chains(ClusterCase):
    """Jobs one after the other, which the command drives."""

    def test_a_chain_and_a_keyed_loop_on_two_workers(self):
        self.start_workers(2)
        text = self.write("t.txt", random_text(1, 200_000))
        rng = random.Random(2)
        edges = self.write("edges.tsv", b"".join(
            b"%d\t%d\n" % (rng.randrange(300), rng.randrange(300)) for _ in range(2000)))
        for job, path, flags in ((TEST_PLUGINS / "chains.so", text, ["--split-size", "50K"]),
                                 ("page_rank", edges, ["--rounds", "3"]),
                                 ("connected_components", edges, [])):
            with self.subTest(job=job):
                embedded = self.run_embedded(job, [path], "--reducers", "3", *flags)
                on_cluster = self.run_on_cluster(job, [path], "--reducers", "3", *flags)
                self.same_tree(embedded, on_cluster.output)
        self.expect_scratch_empty()

    def test_a_chain_is_not_submitted(self):
        self.start_workers(1)
        text = self.write("t.txt", b"a word")
        command = self.job_command("submit", TEST_PLUGINS / "chains.so", [text], self.dir / "out")
        refused = subprocess.run(command, capture_output=True, check=False)
        self.assertEqual(refused.returncode, 64)
        self.assertIn(b"'spillway run'", refused.stderr)


class SmallJobs(ClusterCase):
    def start_coordinator(self):
        spill = self.dir / "coordinator-spill"
        spill.mkdir(exist_ok=True)
        self.coordinator_flags = ["--slots", "2", "--spill-dir", str(spill), "--memory", "256M"]
        super().start_coordinator()

    def test_a_small_job_runs_in_the_coordinators_process(self):
        self.wait_for_workers(1)
        text = self.write("t.txt", random_text(1, 50_000))
        embedded = self.run_embedded("wordcount", [text])
        job = self.run_on_cluster("wordcount", [text])
        self.same_tree(embedded, job.output)


if __name__ == "__main__":
    unittest.main()
