"""The stand-in for the hadoop command on a cluster: shipped files, variables and keys of fields
reach the workers, and the bytes are those of this machine alone."""

import os
import pathlib
import subprocess
import unittest

from cluster_case import ClusterCase
from command_case import SPILLWAY

HADOOP = pathlib.Path(SPILLWAY).parent.parent / "lib/spillway/hadoop"
SECONDS_MAX = 120


class Hadoop(ClusterCase):
    def hadoop(self, *words, expect=0, **environment):
        ended = subprocess.run(
            [HADOOP, *words], cwd=self.dir, capture_output=True, timeout=SECONDS_MAX, check=False,
            env=dict(os.environ, USER="me", SPILLWAY_HADOOP_ROOT=str(self.dir), **environment))
        self.assertEqual(ended.returncode, expect, ended.stderr.decode(errors="replace"))
        return ended.stderr.decode()

    def sort_job(self, output, **environment):
        return self.hadoop(
            "jar", "hadoop-streaming.jar", "-D", "stream.num.map.output.key.fields=2", "-D",
            "mapreduce.job.output.key.comparator.class=a.KeyFieldBasedComparator", "-D",
            "mapreduce.partition.keycomparator.options=-k1,1 -k2,2nr", "-D",
            "mapreduce.partition.keypartitioner.options=-k1,1", "-partitioner",
            "a.KeyFieldBasedPartitioner", "-numReduceTasks", "3", "-cmdenv", "WORD=given", "-files",
            "map.sh", "-mapper", "map.sh", "-reducer", "cat", "-input", "/in", "-output", output,
            **environment)

    def test_gives_the_bytes_of_this_machine(self):
        (self.dir / "in").mkdir()
        for name in ("a", "b"):
            (self.dir / "in" / name).write_bytes(b"".join(
                b"%s%d\t%d\n" % (name.encode(), i % 7, i * i % 1009) for i in range(20_000)))
        self.write("map.sh", b"#!/bin/sh\necho reporter:counter:runs,of mappers,1 >&2\n"
                   b"sed \"s|$|\t$WORD $(basename $mapreduce_map_input_file)|\"\n")
        self.sort_job("/here")
        self.start_workers(2, slots=2)
        text = self.sort_job("/there", SPILLWAY_ON=self.endpoint, SPILLWAY_INSECURE="true",
                             SPILLWAY_SPLIT_SIZE="50K")
        parts = self.parts(self.dir / "there")
        self.assertEqual(len(parts), 3)
        self.assertEqual(parts, self.parts(self.dir / "here"))
        self.assertIn(b"given b\n", b"".join(parts))
        self.assertIn("\n\truns\n\t\tof mappers=", text)
        self.assertEqual([p.name for p in self.dir.glob(".*")], [])
        self.expect_scratch_empty()

    def test_what_fails_there_fails_here(self):
        self.write("in", b"x\n")
        self.start_workers(1)
        text = self.hadoop(
            "jar", "hadoop-streaming.jar", "-D", "mapreduce.map.maxattempts=1", "-mapper",
            "sh -c 'echo told you >&2; exit 3'", "-input", "/in", "-output", "/out", expect=1,
            SPILLWAY_ON=self.endpoint, SPILLWAY_INSECURE="true")
        self.assertIn("told you", text)
        self.assertFalse((self.dir / "out").exists())


if __name__ == "__main__":
    unittest.main()
