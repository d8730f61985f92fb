"""Jobs that `spillway export hadoop-streaming` made, on Hadoop: in one process, and on HDFS and
YARN in one JVM. The output is Spillway's. And the stand-in for Hadoop's command beside it."""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import exported_case
from exported_case import ENGINES, SKIPPED, TEST_PLUGINS, ExportedCase

STAND_IN = os.environ["HADOOP"]
JARS = ENGINES / "hadoop"
JAVA = ["java", "--add-opens=java.base/java.lang=ALL-UNNAMED", "-Xmx768m"]
START_SECONDS_MAX = 120


def why_not():
    """Why Hadoop does not run here, or None."""
    if not list(JARS.glob("hadoop-streaming-*.jar")):
        return f"no Hadoop in {JARS}; scripts/test.sh --engines installs it"
    if not exported_case.java_is_there():
        return "no java; scripts/test.sh --engines installs it"
    return None


def write_configuration(directory, properties):
    directory.mkdir()
    entries = "".join(f"<property><name>{name}</name><value>{value}</value></property>"
                      for name, value in properties.items())
    for name in ("core-site.xml", "mapred-site.xml", "yarn-site.xml"):
        (directory / name).write_text(f"<configuration>{entries}</configuration>\n")


class HadoopCase(ExportedCase):
    KIND = "hadoop-streaming"

    def java(self, configuration, main):
        return [*JAVA, "-cp", f"{configuration}:{JARS}/*", main]

    def streaming(self):
        return self.java(self.configuration, "org.apache.hadoop.streaming.HadoopStreaming")

    def on_hadoop(self, directory, name, output, *words, expect=0):
        return self.call([directory / "run", *words, name, output], expect=expect,
                         env=dict(os.environ, HADOOP_STREAMING=" ".join(self.streaming())))


class OneProcessCase(HadoopCase):
    def setUp(self):
        super().setUp()
        self.configuration = self.dir / "conf"
        write_configuration(self.configuration, {"hadoop.tmp.dir": self.dir / "tmp"})
        self.output = self.dir / "out"


class InOneProcess(OneProcessCase):
    def run_job(self, job, name, *words, more=()):
        self.on_hadoop(self.exported(job, *more), name, self.output, *words)
        return self.parts_of(self.output)

    def test_words_are_counted(self):
        self.same_lines(self.run_job("wordcount", "text", "-r", "3"),
                        self.expected("wordcount", "text", 3))

    def test_secondary_sort(self):
        one = self.run_job("secondary_sort", "numbers")
        self.assertEqual(one, self.expected("secondary_sort", "numbers", 1))

    def test_a_combiner_a_partitioner_and_a_side_file(self):
        (self.dir / "ignored").write_text("Oslo\n")
        job, side = TEST_PLUGINS / "typed.so", ("--file", f"ignore={self.dir / 'ignored'}")
        directory = self.exported(job, *side)
        expected = self.expected(job, "readings", 1, *side)
        plain = self.on_hadoop(directory, "readings", self.output)
        self.assertEqual(self.parts_of(self.output), expected)
        combined = self.on_hadoop(directory, "readings", self.dir / "combined", "-c")
        self.assertEqual(self.parts_of(self.dir / "combined"),
                         [expected[0].replace(b"\n", b"\t\n")])
        # Tasks tell theirs before; the last ones are the job's.
        counted = [re.findall(r"\ttyped\n\t\tgroups=(\d+)\n\t\tignored=(\d+)", ended.text)[-1]
                   for ended in (plain, combined)]
        self.assertEqual(counted[0][1], counted[1][1])
        self.assertLess(int(counted[0][0]), int(counted[1][0]))

    def test_lines_without_a_tab_come_out_as_they_are(self):
        lines = self.run_job("grep", "text", more=("--", "be"))
        self.same_lines(lines, self.expected("grep", "text", 1, "--", "be"))

    def test_only_newlines_end_a_line_of_the_input(self):
        self.write("returns", "a\t1\nb\t2\r\n")
        ended = self.on_hadoop(self.exported("secondary_sort"), "returns", self.output, expect=None)
        self.assertIn("2\\x0d", ended.text)

    def test_what_fails_in_the_plugin_fails_the_job(self):
        ended = self.on_hadoop(self.exported("secondary_sort"), "text", self.output, expect=None)
        self.assertNotEqual(ended.returncode, 0)
        self.assertIn("no TAB in the line", ended.text)
        self.assertFalse((self.output / "_SUCCESS").exists())


class StandIn(OneProcessCase):
    """The same command line for both."""

    def both(self, *words):
        parts = []
        for number, command in enumerate(([STAND_IN, "jar", "hadoop-streaming.jar"],
                                          self.streaming())):
            output = self.dir / f"streamed{number}"
            self.call([*command, *words, "-output", output])
            parts.append(self.parts_of(output))
        return parts

    def test_scripts_with_a_combiner(self):
        (self.dir / "sum.sh").write_text(
            "awk -F'\\t' '{n[$1] += $2} END {for (k in n) print k \"\\t\" n[k]}' | LC_ALL=C sort\n")
        (self.dir / "map.sh").write_text("tr -s ' ' '\\n' | grep . | sed 's/$/\\t1/'\n")
        mine, theirs = self.both(
            "-D", "mapreduce.job.reduces=3", "-files", "sum.sh,map.sh", "-input", "text", "-mapper",
            "sh map.sh", "-combiner", "sh sum.sh", "-reducer", "sh sum.sh")
        self.same_lines(mine, theirs)

    def test_secondary_sort_gives_the_same_parts(self):
        mine, theirs = self.both(
            "-D", "stream.num.map.output.key.fields=2", "-D", "mapreduce.job.reduces=3",
            "-D", "mapreduce.partition.keypartitioner.options=-k1,1",
            "-D", "mapreduce.job.output.key.comparator.class="
            "org.apache.hadoop.mapreduce.lib.partition.KeyFieldBasedComparator",
            "-D", "mapreduce.partition.keycomparator.options=-k1,1 -k2,2nr",
            "-partitioner", "org.apache.hadoop.mapred.lib.KeyFieldBasedPartitioner",
            "-input", "numbers", "-mapper", "cat", "-reducer", "cat")
        self.assertEqual(mine, theirs)


def free_ports(count):
    """Free a moment ago."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class OnACluster(HadoopCase):
    """HDFS with one DataNode, YARN with one NodeManager."""

    @classmethod
    def setUpClass(cls):
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="spillway-yarn-"))
        cls.addClassCleanup(shutil.rmtree, cls.place, ignore_errors=True)
        name_node, web, resources, history = free_ports(4)
        local = {"hadoop.tmp.dir": cls.place / "tmp", "dfs.replication": 1,
                 "yarn.resourcemanager.hostname": "localhost",
                 "yarn.nodemanager.hostname": "localhost",
                 "yarn.nodemanager.disk-health-checker.enable": "false"}
        cls.configuration = cls.place / "conf"
        write_configuration(cls.configuration, {
            **local, "fs.defaultFS": f"hdfs://localhost:{name_node}",
            "mapreduce.framework.name": "yarn",
            "mapreduce.application.classpath": f"{JARS}/*",
            "yarn.resourcemanager.address": f"localhost:{resources}",
            "mapreduce.jobhistory.address": f"localhost:{history}",
            "yarn.app.mapreduce.am.command-opts": "-Xmx384m " + JAVA[1],
            "yarn.app.mapreduce.am.resource.mb": 512, "mapreduce.map.memory.mb": 512,
            "mapreduce.reduce.memory.mb": 512, "mapreduce.map.java.opts": "-Xmx256m",
            "mapreduce.reduce.java.opts": "-Xmx256m"})
        empty = cls.place / "empty"
        write_configuration(empty, local)
        ready = cls.place / "ready.json"
        properties = [word for name, value in local.items() for word in ("-D", f"{name}={value}")]
        cls.log = open(cls.place / "log", "wb")
        cls.addClassCleanup(cls.log.close)
        cls.cluster = subprocess.Popen(
            [*JAVA, "-cp", f"{empty}:{JARS}/*",
             "org.apache.hadoop.mapreduce.MiniHadoopClusterManager", "-format", "-datanodes", "1",
             "-nodemanagers", "1", "-nnport", str(name_node), "-nnhttpport", str(web), "-rmport",
             str(resources), "-jhsport", str(history), "-writeDetails", str(ready), *properties],
            cwd=cls.place, stdin=subprocess.DEVNULL, stdout=cls.log, stderr=cls.log,
            start_new_session=True)
        cls.addClassCleanup(cls.end_cluster)
        give_up = time.monotonic() + START_SECONDS_MAX
        while not ready.exists():
            if cls.cluster.poll() is not None or time.monotonic() > give_up:
                raise AssertionError("the cluster does not start: " +
                                     (cls.place / "log").read_text(errors="replace")[-3000:])
            time.sleep(0.2)

    @classmethod
    def end_cluster(cls):
        """The JVM, and the containers that it has started."""
        if cls.cluster.poll() is None:
            os.killpg(cls.cluster.pid, signal.SIGTERM)
            try:
                cls.cluster.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(cls.cluster.pid, signal.SIGKILL)
                cls.cluster.wait()

    def fs(self, *words):
        return self.call([*self.java(self.configuration, "org.apache.hadoop.fs.FsShell"), *words])

    def on_cluster(self, job, name, *words):
        self.fs("-mkdir", "-p", "/in")
        self.fs("-put", name, "/in/")
        self.on_hadoop(self.exported(job), f"/in/{name}", f"/out/{job}", *words)
        self.fs("-get", f"/out/{job}", "got")
        return self.parts_of(self.dir / "got")

    def test_words_are_counted(self):
        got = self.on_cluster("wordcount", "text", "-r", "2")
        self.assertEqual(len(got), 2)
        self.same_lines(got, self.expected("wordcount", "text", 2))

    def test_secondary_sort(self):
        got = self.on_cluster("secondary_sort", "numbers", "-r", "2")
        self.same_lines(got, self.expected("secondary_sort", "numbers", 2))
        numbers = {}
        for line in b"".join(got).splitlines():
            key, number = line.rsplit(b"\t", 1)
            numbers.setdefault(key, []).append(int(number))
        for key, values in numbers.items():
            self.assertEqual(values, sorted(values), key)


if __name__ == "__main__":
    if reason := why_not():
        print("SKIPPED:", reason)
        sys.exit(SKIPPED)
    unittest.main()
