"""The stand-in for the hadoop command: streaming jobs against the pipeline that they stand for, and
`hadoop fs` against what Hadoop prints."""

import gzip
import os
import random
import re
import signal
import subprocess
import unittest

from command_case import CommandCase

HADOOP = os.environ["HADOOP"]
JAR = "/no/such/place/hadoop-streaming-3.4.2.jar"
SECONDS_MAX = 120
WORDS = """#!/usr/bin/env python3
import sys
for line in sys.stdin:
    for word in line.split():
        print(word, 1, sep="\\t")
"""
SUMS = """#!/usr/bin/env python3
import itertools, sys
rows = (line.rstrip("\\n").split("\\t") for line in sys.stdin)
for word, group in itertools.groupby(rows, key=lambda row: row[0]):
    print(word, sum(int(count) for _, count in group), sep="\\t")
"""
REFUSED = (
    (["-libjars", "x.jar"], "no Java"), (["-inputreader", "x"], "-inputreader"),
    (["-io", "typedbytes"], "-io"), (["-lazyOutput"], "-lazyOutput"),
    (["-nonsense", "x"], "Unrecognized option: -nonsense"),
    (["-outputformat", "a.b.SequenceFileOutputFormat"], "SequenceFileOutputFormat"),
    (["-inputformat", "a.b.SequenceFileInputFormat"], "SequenceFileInputFormat"),
    (["-partitioner", "my.Own"], "-partitioner Own"),
    (["-D", "mapred.output.compress=true"], "mapreduce.output.fileoutputformat.compress=true"),
    (["-D", "stream.reduce.output.field.separator=."], "the separator is a TAB"),
    (["-D", "stream.recordreader.class=X"], "stream.recordreader.class"),
    (["-D", "mapred.output.key.comparator.class=my.Own"], "the comparator my.Own"),
    (["-D", "mapreduce.job.reduces=many"], "is no number"),
    (["-D", "stream.num.map.output.key.fields=0"], "is no number above 0"),
    (["-D", "x"], "write NAME=VALUE"),
    (["-reducer", "aggregate"], "a class of Java's"), (["-cmdenv", "x"], "write NAME=VALUE"),
    (["-partitioner", "KeyFieldBasedPartitioner", "-D", "mapred.text.key.partitioner.options=-kx"],
     "names no field"),
)


def hash_of(text):
    """Hadoop's, of KeyFieldBasedPartitioner."""
    value = 0
    for byte in text:
        value = (31 * value + (byte - 256 if byte > 127 else byte)) & 0xFFFFFFFF
    return value & 0x7FFFFFFF


class HadoopCase(CommandCase):
    def setUp(self):
        super().setUp()
        self.root = self.dir / "root"
        self.home = self.root / "user/tester"
        self.home.mkdir(parents=True)
        self.environment = dict(os.environ, SPILLWAY_HADOOP_ROOT=str(self.root), USER="tester",
                                SPILLWAY_SPILL_DIR=str(self.spill), TZ="UTC")

    def hadoop(self, *words, expect=0, **more):
        ended = subprocess.run([HADOOP, *map(str, words)], cwd=self.dir, env=self.environment,
                               capture_output=True, timeout=SECONDS_MAX, **more)
        ended.text = ended.stderr.decode(errors="replace")
        self.assertEqual(ended.returncode, expect, f"{words}\n{ended.text}")
        return ended

    def said(self, *words, expect=0):
        """What `hadoop fs` writes, stdout and stderr."""
        ended = self.hadoop("fs", *words, expect=expect)
        return ended.stdout.decode() + ended.text


class Streaming(HadoopCase):
    def setUp(self):
        super().setUp()
        rng = random.Random(1)
        self.text = b"".join(b"%s %s\n" % (rng.choice(b"abcdefg").to_bytes(1, "big") * 3,
                                           rng.choice([b"x", b"yy", b"z"])) for _ in range(2000))
        (self.home / "in.txt").write_bytes(self.text)
        self.jobs = 0

    def stream(self, *words, expect=0, inputs=("in.txt",)):
        self.jobs += 1
        name = f"out{self.jobs}"
        given = [word for path in inputs for word in ("-input", path)]
        ended = self.hadoop("jar", JAR, *words, *given, "-output", name, expect=expect)
        ended.output = self.home / name
        self.expect_nothing_left(ended.output, visible=expect == 0)
        self.assertEqual([p.name for p in self.home.glob(".*")], [], "task directories were left")
        ended.lines = b"".join(self.parts(ended.output)) if expect == 0 else None
        return ended

    def pipeline(self, mapper, reducer, sort="-s -t '\t' -k 1,1"):
        script = f"({mapper}) <{self.home}/in.txt | LC_ALL=C sort {sort} | ({reducer})"
        return subprocess.run(["/bin/sh", "-c", script], cwd=self.dir, check=True,
                              stdout=subprocess.PIPE).stdout

    def test_shipped_scripts_count_words_as_the_pipeline_does(self):
        for name, text in (("words.py", WORDS), ("sums.py", SUMS)):
            self.write(name, text.encode())  # Without a mode: Hadoop makes them executable.
        expected = self.pipeline("python3 words.py", "python3 sums.py")
        for shipped in (["-files", "words.py,sums.py"], ["-file", "words.py", "-file", "sums.py"]):
            for combiner in ([], ["-combiner", "sums.py"]):
                ended = self.stream(*shipped, "-mapper", "words.py", *combiner,
                                    "-reducer", "./sums.py")
                self.assertEqual(ended.lines, expected, combiner)

    def test_awk_in_quotes_is_not_touched_by_a_shell(self):
        ended = self.stream("-mapper", r"""awk '{print $1 "\t" NF}'""",
                            "-reducer", r"""awk -F\t '{n[$1] += $2} END {print n["aaa"]}'""")
        self.assertEqual(ended.lines, self.pipeline(
            "awk '{print $1 \"\\t\" NF}'", "awk -F'\\t' '{n[$1] += $2} END {print n[\"aaa\"]}'"))
        self.assertEqual(self.stream("-mapper", "echo $HOME * a|b", "-reducer", "NONE").lines,
                         b"$HOME * a|b\n")

    def test_files_and_archives_have_the_names_that_they_are_given(self):
        self.write("side.txt", b"side\n")
        (self.dir / "tree").mkdir()
        self.write("tree/leaf", b"leaf\n")
        subprocess.run(["tar", "-czf", "tree.tar.gz", "tree"], cwd=self.dir, check=True)
        self.hadoop("fs", "-put", "side.txt", "hdfs:///shared")
        ended = self.stream("-files", "side.txt#one,hdfs:///shared#two", "-archives",
                            "tree.tar.gz#packed", "-mapper", "cat one two packed/tree/leaf",
                            "-reducer", "NONE")
        self.assertEqual(ended.lines, b"side\nside\nleaf\n")

    def test_a_key_without_a_value_comes_with_a_tab(self):
        ended = self.stream("-mapper", "cut -c 1-3", "-reducer", "cat", "-numReduceTasks", "1")
        self.assertEqual(ended.lines, self.pipeline("cut -c 1-3", "sed 's/$/\t/'"))
        self.assertEqual(self.stream("-mapper", "cut -c 1-3", "-reducer",
                                     "org.apache.hadoop.mapred.lib.IdentityReducer").lines,
                         ended.lines)

    def test_without_reduces_nothing_is_sorted(self):
        for words in (["-reducer", "NONE"], ["-numReduceTasks", "0"],
                      ["-D", "mapred.reduce.tasks=0", "-reducer", "false"]):
            self.assertEqual(self.stream("-mapper", "cat", *words).lines, self.text)

    def test_inputs_are_paths_globs_lists_and_directories(self):
        for name in ("d/a.txt", "d/b.txt", "e/c.log"):
            (self.home / name).parent.mkdir(exist_ok=True)
            (self.home / name).write_text(name + "\n")
        (self.home / "d/_SUCCESS").write_text("of another job\n")
        for inputs, expected in (
                (["d"], "d/a.txt\nd/b.txt\n"), (["d/*.txt"], "d/a.txt\nd/b.txt\n"),
                (["e/c.log,d/b.txt"], "e/c.log\nd/b.txt\n"),
                (["[de]/*"], "d/a.txt\nd/b.txt\ne/c.log\n"),
                (["d/{a,b}.txt"], "d/a.txt\nd/b.txt\n"),
                (["hdfs:///user/tester/d/a.txt", f"file://{self.home}/e"], "d/a.txt\ne/c.log\n")):
            self.assertEqual(self.stream("-mapper", "cat", "-reducer", "NONE", inputs=inputs).lines,
                             expected.encode(), inputs)

    def test_variables_and_the_name_of_the_file_reach_the_commands(self):
        for name in ("a", "b"):
            (self.home / name).write_text("x\n")
        self.write("tell.sh", b"#!/bin/sh\ncat >/dev/null\n"
                   b"echo $(basename $mapreduce_map_input_file) $my_own_word $GIVEN\n")
        ended = self.stream("-file", "tell.sh", "-mapper", "tell.sh", "-reducer", "NONE",
                            "-D", "my.own-word=w", "-cmdenv", "GIVEN=a b", inputs=("a", "b"))
        self.assertEqual(ended.lines, b"a w a b\nb w a b\n")

    def test_each_line_is_work_of_its_own_where_the_format_says_so(self):
        lines = [b"%d\n" % i for i in range(300)]
        (self.home / "n.txt").write_bytes(b"".join(lines))
        offset, expected = 0, b""
        for line in lines:
            expected += b"%d\t%s" % (offset, line)
            offset += len(line)
        form = ("-inputformat", "org.apache.hadoop.mapred.lib.NLineInputFormat", "-reducer", "NONE")
        self.assertEqual(self.stream(*form, "-mapper", "cat", inputs=["n.txt"]).lines, expected)
        for count, runs in ((1, 300), (7, 43)):
            ended = self.stream(*form, "-mapper", "wc -l", inputs=["n.txt"], *(
                "-D", f"mapred.line.input.format.linespermap={count}"))
            self.assertEqual(len(ended.lines.splitlines()), runs)

    def test_counters_are_told_as_hadoop_tells_them(self):
        self.write("count.sh", b"#!/bin/sh\ncat\necho reporter:counter:Mine,seen it,7 >&2\n"
                   b"echo reporter:status:busy >&2\n")
        text = self.stream("-file", "count.sh", "-mapper", "count.sh", "-reducer", "cat").text
        self.assertRegex(text, r"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO mapreduce.Job: "
                               r"Counters: \d+$")
        self.assertIn("\n\tMine\n\t\tseen it=7\n", text)
        self.assertIn("\n\t\tMap input records=2000\n", text)
        self.assertRegex(text, r"INFO mapreduce.Job: Running job: job_\d+_\d{4}\n")
        self.assertRegex(text, r"INFO streaming.StreamJob: Output directory: file:///\S+/out1\n")

    def test_a_job_that_fails_says_so_and_leaves_nothing(self):
        self.write("bad.sh", b"#!/bin/sh\necho told you >&2\nexit 3\n")
        text = self.stream("-file", "bad.sh", "-mapper", "bad.sh", "-reducer", "cat",
                           "-D", "mapred.map.max.attempts=1", expect=1).text
        self.assertIn("the mapper './bad.sh' exited with 3", text)
        self.assertIn("told you", text)
        self.assertTrue(text.endswith("Streaming Command Failed!\n"), text)

    def test_a_compressed_input_is_read_as_its_text(self):
        (self.home / "packed.gz").write_bytes(gzip.compress(b"b\t1\na\t2\n"))
        output = self.stream("-mapper", "cat", "-numReduceTasks", "1", inputs=["packed.gz"]).output
        self.assertEqual((output / "part-00000").read_bytes(), b"a\t2\nb\t1\n")

    def test_an_output_that_is_there_is_kept(self):
        (self.home / "out1").mkdir()
        ended = self.hadoop("jar", JAR, "-input", "in.txt", "-output", "out1", "-mapper", "cat",
                            expect=73)
        self.assertIn("out1", ended.text)

    def test_what_is_not_known_is_refused_with_a_reason(self):
        for words, why in REFUSED:
            text = self.stream("-mapper", "cat", *words, expect=64).text
            self.assertIn(why, text, words)
        self.assertIn("not the streaming jar", self.hadoop("jar", "my.jar", expect=64).text)
        self.assertIn("option: -input", self.hadoop("jar", JAR, "-mapper", "cat", expect=64).text)
        self.assertIn("without its value", self.hadoop("jar", JAR, "-input", expect=64).text)
        (self.home / "in.snappy").write_bytes(b"")
        self.assertIn("compressed",
                      self.stream("-mapper", "cat", inputs=["in.snappy"], expect=64).text)
        text = self.stream("-mapper", "cat", inputs=["no"], expect=66).text
        self.assertIn("Input path does not exist: no", text)
        self.assertIn("does not exist", self.stream("-mapper", "x", "-file", "no", expect=66).text)

    def test_whoever_stops_it_stops_the_job_and_nothing_is_left(self):
        self.write("hang.sh", b"#!/bin/sh\ntouch %s/started\nsleep 600\n" % bytes(self.dir))
        for stop, code in ((lambda pid: os.killpg(pid, signal.SIGINT), 130),  # As the terminal.
                           (lambda pid: os.kill(pid, signal.SIGTERM), 143)):
            running = subprocess.Popen(
                [HADOOP, "jar", JAR, "-file", "hang.sh", "-mapper", "hang.sh", "-reducer", "cat",
                 "-input", "in.txt", "-output", "out"], cwd=self.dir, env=self.environment,
                stderr=subprocess.PIPE, start_new_session=True)
            while not (self.dir / "started").exists() and running.poll() is None:
                pass
            stop(running.pid)
            _, err = running.communicate(timeout=SECONDS_MAX)
            self.assertEqual(running.returncode, code, err)
            self.assertEqual(sorted(p.name for p in self.home.iterdir()), ["in.txt"])
            (self.dir / "started").unlink()


class Keys(HadoopCase):
    """Fields of keys, against `sort`."""

    def setUp(self):
        super().setUp()
        rng = random.Random(2)
        rows = []
        for i in range(3000):
            number = rng.choice(["0", "-0", "7", "-7", "10", "3.5", "-3.25", "007", "1e3", "x",
                                 str(rng.randrange(-10**12, 10**12))])
            rows.append("%s\t%s\tv%d" % (rng.choice("kab") * rng.randint(1, 3), number, i))
        (self.home / "in.txt").write_text("\n".join(rows) + "\n")

    def stream(self, *words):
        out = self.new_output()
        self.hadoop("jar", JAR, *words, "-mapper", "cat", "-reducer", "cat", "-input", "in.txt",
                    "-output", f"file://{out}")
        return self.parts(out)

    def sorted(self, options, text=None):
        return subprocess.run(f"LC_ALL=C sort -s {options}", shell=True, check=True,
                              input=text or (self.home / "in.txt").read_bytes(),
                              stdout=subprocess.PIPE).stdout

    def test_a_key_of_two_fields_is_sorted_by_both_and_parted_by_the_first(self):
        parts = self.stream("-D", "stream.num.map.output.key.fields=2",
                            "-D", "mapreduce.partition.keypartitioner.options=-k1,1",
                            "-partitioner", "org.apache.hadoop.mapred.lib.KeyFieldBasedPartitioner",
                            "-numReduceTasks", "3")
        self.assertEqual(len(parts), 3)
        everything = b""
        for number, part in enumerate(parts):
            lines = part.splitlines()
            own = {hash_of(line.split(b"\t")[0]) % 3 for line in lines}
            self.assertEqual(own - {number}, set())
            keys = [b"\t".join(line.split(b"\t")[:2]) for line in lines]
            self.assertEqual(keys, sorted(keys))
            everything += part
        self.assertEqual(self.sorted("-k1", everything), self.sorted("-k1"))

    def test_the_order_is_that_of_sort(self):
        for options in ("-k2,2n", "-k2,2nr", "-k1,1r -k2,2n", "-k1,1 -k2,2nr", "-k2,2r",
                        "-nr -k2,2", "-k1.2,1.2 -k2,2n"):
            parts = self.stream(
                "-D", "stream.num.map.output.key.fields=2", "-D", "mapred.output.key.comparator."
                "class=org.apache.hadoop.mapred.lib.KeyFieldBasedComparator",
                "-D", f"mapred.text.key.comparator.options={options}")
            self.assertEqual(parts[0], self.sorted("-t '\t' " + options), options)

    def test_another_separator_ends_the_key(self):
        (self.home / "in.txt").write_text(
            "11.12.1.2\n11.14.2.3\n11.11.4.1\n11.12.1.1\n11.14.2.2\n11")
        words = ("-D", "stream.map.output.field.separator=.",
                 "-D", "stream.num.map.output.key.fields=3")
        self.assertEqual(self.stream(*words)[0],
                         b"11\t\n11.11.4\t1\n11.12.1\t2\n11.12.1\t1\n11.14.2\t3\n11.14.2\t2\n")
        fields = ("-D", "map.output.key.field.separator=.", "-D",
                  "mapred.text.key.partitioner.options=-k1,2", "-partitioner",
                  "org.apache.hadoop.mapred.lib.KeyFieldBasedPartitioner", "-numReduceTasks", "4")
        for number, part in enumerate(self.stream(*words, *fields)):
            for line in part.splitlines():
                key = line.split(b"\t")[0].split(b".")[:2]
                self.assertEqual(hash_of(b".".join(key)) % 4, number)


class FileSystem(HadoopCase):
    def listed(self, text):
        """Without owners and times: type and rights, size, path."""
        form = r"(\S+)\s+(?:\d+|-) \S+ \S+\s+(\d+) \d{4}-\d\d-\d\d \d\d:\d\d (.*)"
        rows = [re.fullmatch(form, line)
                for line in text.splitlines() if not line.startswith("Found")]
        return [row.groups() for row in rows]

    def test_version_is_one_that_scripts_look_for(self):
        self.assertRegex(self.hadoop("version").stdout.decode(), r"^Hadoop 3\.\d+\.\d+\n")

    def test_files_are_put_and_listed_and_come_back(self):
        self.write("a.txt", b"to be\n")
        self.assertEqual(self.said("-mkdir", "-p", "hdfs:///data/deep/er"), "")
        self.assertEqual(self.said("-put", "a.txt", "hdfs:///data/deep"), "")
        os.chmod(self.root / "data/deep/a.txt", 0o640)
        text = self.said("-ls", "hdfs:///data/deep")
        self.assertTrue(text.startswith("Found 2 items\n"), text)
        self.assertEqual([(mode[0], *rest) for mode, *rest in self.listed(text)],
                         [("-", "6", "hdfs:///data/deep/a.txt"),
                          ("d", "0", "hdfs:///data/deep/er")])
        self.assertEqual(self.listed(text)[0][0], "-rw-r-----")
        self.assertEqual([row[2] for row in self.listed(self.said("-ls", "-R", "/data"))],
                         ["/data/deep", "/data/deep/a.txt", "/data/deep/er"])
        self.assertEqual(self.said("-lsr", "/data"), self.said("-ls", "-R", "/data"))
        self.assertEqual(self.said("-cat", "/data/deep/a.txt", "/data/*/a.txt"), "to be\nto be\n")
        self.assertEqual(self.said("-get", "/data/deep", "back"), "")
        self.assertEqual((self.dir / "back/a.txt").read_bytes(), b"to be\n")
        self.assertEqual(self.said("-copyToLocal", "/data/deep/a.txt", ".", expect=1),
                         "get: `a.txt': File exists\n")

    def test_relative_paths_lie_in_the_home_directory(self):
        self.said("-touchz", "empty")
        self.assertTrue((self.home / "empty").exists())
        self.assertEqual([row[2] for row in self.listed(self.said("-ls"))], ["empty"])
        self.assertEqual(self.said("-stat", "%n %b %F", "empty"), "empty 0 regular file\n")
        self.assertRegex(self.said("-stat", "empty"), r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n$")

    def test_stdin_is_put(self):
        self.hadoop("fs", "-put", "-", "piped", input=b"from a pipe\0")
        self.assertEqual((self.home / "piped").read_bytes(), b"from a pipe\0")

    def test_tests_answer_by_their_exit_codes(self):
        (self.home / "d").mkdir()
        (self.home / "zero").write_bytes(b"")
        (self.home / "full").write_bytes(b"x")
        for words, code in (("-e d", 0), ("-e no", 1), ("-d d", 0), ("-d full", 1), ("-z zero", 0),
                            ("-z full", 1), ("-f full", 0), ("-s zero", 1), ("-s full", 0)):
            self.assertEqual(self.said("-test", *words.split(), expect=code), "", words)

    def test_removing_says_what_it_removed(self):
        (self.home / "d/e").mkdir(parents=True)
        (self.home / "f").write_bytes(b"")
        self.assertEqual(self.said("-rm", "d", expect=1), "rm: `d': Is a directory\n")
        self.assertEqual(self.said("-rm", "-r", "-skipTrash", "d", "f"), "Deleted d\nDeleted f\n")
        self.assertEqual(self.said("-rm", "f", expect=1), "rm: `f': No such file or directory\n")
        self.assertEqual(self.said("-rm", "-R", "-f", "f", "no*"), "")
        for path in ("/", "hdfs:///user/.."):
            self.assertEqual(self.said("-rm", "-r", "-f", path, expect=1),
                             f"rm: `{path}': is the root, and is not removed\n")
        self.assertTrue(self.home.exists())

    def test_sizes_moves_copies_and_merges(self):
        (self.home / "d").mkdir()
        (self.home / "d/part-1").write_bytes(b"b\n")
        (self.home / "d/part-0").write_bytes(b"a\n")
        self.assertEqual(self.said("-du", "d"), "2  2  d/part-0\n2  2  d/part-1\n")
        self.assertEqual(self.said("-du", "-s", "d"), "4  4  d\n")
        self.assertEqual(self.said("-getmerge", "-nl", "d", "merged"), "")
        self.assertEqual((self.dir / "merged").read_bytes(), b"a\n\nb\n\n")
        self.assertEqual(self.said("-cp", "d", "copy"), "")
        self.assertEqual(self.said("-mv", "copy/part-0", "copy/part-1", "."), "")
        self.assertEqual(sorted(p.name for p in self.home.iterdir()),
                         ["copy", "d", "part-0", "part-1"])
        self.assertEqual(self.said("-text", "part-0"), "a\n")
        self.assertEqual(self.said("-cp", "part-0", "part-1", expect=1),
                         "cp: `part-1': File exists\n")
        self.assertEqual(self.said("-cp", "-f", "part-0", "part-1"), "")
        self.assertEqual((self.home / "part-1").read_bytes(), b"a\n")

    def test_what_is_missing_or_in_the_way_is_told_in_hadoops_words(self):
        (self.home / "d").mkdir()
        self.write("x", b"x")
        for words, text in (("-ls no", "ls: `no': No such file or directory\n"),
                            ("-ls hdfs:///*.x", "ls: `hdfs:///*.x': No such file or directory\n"),
                            ("-mkdir d", "mkdir: `d': File exists\n"),
                            ("-mkdir a/b", "mkdir: `a/b': No such file or directory\n"),
                            ("-cat d", "cat: `d': Is a directory\n"),
                            ("-put x no/such", "put: `no/such': No such file or directory\n"),
                            ("-put no d", "put: `no': No such file or directory\n"),
                            ("-cat s3://b/x",
                             "cat: 's3://b/x': only hdfs: and file: are served here, not s3:\n")):
            self.assertEqual(self.said(*words.split(), expect=1), text)

    def test_what_is_not_known_is_refused(self):
        self.assertIn("-chmod: not known", self.said("-chmod", "700", "x", expect=64))
        self.assertIn("ls: Illegal option -t", self.said("-ls", "-t", expect=64))
        self.assertIn("Usage: hadoop fs -put", self.said("-put", "x", expect=64))
        self.assertIn("'namenode' is not known", self.hadoop("namenode", expect=64).text)
        self.environment["SPILLWAY_HADOOP_ROOT"] = "here"
        self.assertIn("from / on", self.said("-ls", expect=64))

    def test_no_path_leaves_the_root(self):
        self.write("outside.txt", b"not yours")
        self.write("root/in.txt", b"a\n")
        self.assertIn("No such file", self.said("-cat", "/../outside.txt", expect=1))
        self.assertIn("No such file", self.said("-cat", "../../../outside.txt", expect=1))
        self.assertEqual(self.hadoop("fs", "-cat", "/a/../../in.txt").stdout, b"a\n")
        self.hadoop("fs", "-rm", "-r", "/../..", expect=1)
        self.assertTrue((self.dir / "outside.txt").exists())
        self.assertTrue((self.root / "in.txt").exists())

    def test_without_a_root_paths_are_those_of_the_machine(self):
        del self.environment["SPILLWAY_HADOOP_ROOT"]
        self.write("x", b"text\n")
        for path in ("x", f"{self.dir}/x", f"hdfs://{self.dir}/x", f"hdfs://host:8020{self.dir}/x"):
            self.assertEqual(self.said("-cat", path), "text\n")


if __name__ == "__main__":
    unittest.main()
