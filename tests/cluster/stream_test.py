"""Streaming on a cluster: the bytes of the embedded run, and commands that do not behave."""

import unittest

from cluster_case import ClusterCase

COUNT = "awk -F'\\t' '{n[$1] += 1} END {for (k in n) print k \"\\t\" n[k]}' | LC_ALL=C sort"


class Stream(ClusterCase):
    def setUp(self):
        super().setUp()
        self.text = self.write("in.txt", b"".join(b"key%d\tvalue %d\n" % (i * i % 1009, i)
                                                  for i in range(40_000)))
        self.start_workers(2, slots=2)

    def args(self, mapper, reducer):
        return [f"--mapper={mapper}", f"--reducer={reducer}", f"--directory={self.dir}"]

    def test_gives_the_bytes_of_the_embedded_run(self):
        (self.dir / "map.sh").write_text("cat\n")
        for reducer in ("cat", COUNT, "NONE"):
            args = self.args("sh map.sh", reducer)
            flags = ["--split-size", "50K", "--reducers", "3"]
            embedded = self.run_embedded("stream", [self.text], *flags, args=args)
            on_cluster = self.run_on_cluster("stream", [self.text], *flags, args=args)
            self.same_tree(embedded, on_cluster.output)
        self.expect_scratch_empty()

    def test_side_files_go_to_the_workers(self):
        self.write("stop.txt", b"key1\n")
        self.write("map.sh", b"#!/bin/sh\ngrep -vwf stop.txt\n")
        args = ["--mapper=./map.sh", "--reducer=cat", "--side-file=stop.txt", "--side-file=map.sh"]
        flags = ["--reducers", "2"]
        for name in ("stop.txt", "map.sh"):
            flags += ["--file", f"{name}={self.dir / name}"]
        embedded = self.run_embedded("stream", [self.text], *flags, args=args)
        on_cluster = self.run_on_cluster("stream", [self.text], *flags, args=args)
        self.same_tree(embedded, on_cluster.output)
        text = b"".join(path.read_bytes() for path in embedded.glob("part-*"))
        self.assertIn(b"key100\t", text)
        self.assertNotIn(b"key1\t", text)

    def test_a_command_that_fails_fails_the_job_and_others_go_on(self):
        args = self.args("cat", "cat >/dev/null; echo last words >&2; exit 1")
        failed = self.run_on_cluster("stream", [self.text], args=args, expect=1)
        self.assertIn("exited with 1", failed.text)
        self.assertIn("last words", failed.text)
        self.run_on_cluster("stream", [self.text], args=self.args("cat", "echo unread"))

    def test_a_command_that_hangs_is_ended(self):
        failed = self.run_on_cluster("stream", [self.text], "--timeout", "1s", "--retries", "0",
                                     args=self.args("cat", "echo $$ >pid; exec sleep 600"),
                                     expect=1)
        self.assertIn("progress", failed.text)
        pid = int((self.dir / "pid").read_text())
        self.wait_for(lambda: not self.runs(pid), "the command to end")

    @staticmethod
    def runs(pid):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                return b"sleep" in file.read()
        except FileNotFoundError:
            return False


if __name__ == "__main__":
    unittest.main()
