#!/usr/bin/env python3
"""Runs this job on Spark: spark-submit run.py [--reducers N] [--any-text] INPUT... OUTPUT"""

import argparse
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import zlib

from pyspark import AccumulatorParam, SparkConf, SparkContext, SparkFiles

HERE = pathlib.Path(__file__).resolve().parent
COUNTER = b"reporter:counter:"
TAIL_LINES_MAX = 20


class CounterSums(AccumulatorParam):
    """(group, name): amount."""

    def zero(self, value):
        return {}

    def addInPlace(self, into, more):
        for name, amount in more.items():
            into[name] = into.get(name, 0) + amount
        return into


def feed(pipe, lines, any_text, failures):
    """Gives the lines to a phase. One that ends before all are read says why by its exit code."""
    try:
        with pipe:
            for line in lines:
                if not any_text and "\ufffd" in line:
                    raise ValueError(
                        "a line holds U+FFFD, which Spark puts in the place of bytes that are no "
                        f"UTF-8: {line[:100]!r}. If it was there before, say --any-text.")
                pipe.write(line.encode() + b"\n")
    except BrokenPipeError:
        pass
    except BaseException as failure:  # Of Spark's own iterator, too.
        failures.append(failure)


def listen(pipe, counters, tail):
    """Counts what a phase tells on stderr, and shows the rest."""
    for line in pipe:
        if line.startswith(COUNTER):
            group, name, amount = line[len(COUNTER):].decode().rstrip("\n").split(",")
            counters.add({(group, name): int(amount)})
        else:
            tail.append(line.decode(errors="replace"))
            del tail[:-TAIL_LINES_MAX]
            sys.stderr.buffer.write(line)


def through(phase, reducers, any_text, counters):
    """A function for mapPartitionsWithIndex: what the phase makes of a partition's lines."""
    def lines_of(index, lines):
        failures, tail = [], []
        process = subprocess.Popen(
            [os.path.join(SparkFiles.get("job"), "phase"), phase], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=dict(os.environ, mapreduce_task_partition=str(index),
                     mapreduce_job_reduces=str(reducers)))
        threads = [threading.Thread(target=feed, args=(process.stdin, lines, any_text, failures)),
                   threading.Thread(target=listen, args=(process.stderr, counters, tail))]
        for thread in threads:
            thread.daemon = True
            thread.start()
        for line in process.stdout:
            yield line.rstrip(b"\n").decode()
        exit_code = process.wait()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]
        if exit_code != 0:
            raise RuntimeError(f"the job's {phase} exited with {exit_code}:\n{''.join(tail)}")
    return lines_of


def key_and_value(line):
    key, _, value = line.rpartition("\t")
    return key, value


def partitioner(lead, reducers):
    """By the first field: it is the key, its group, or the partition that the job chose."""
    if lead == "partition":
        return lambda key: int(key.partition("\t")[0]) % reducers
    return lambda key: zlib.crc32(key.partition("\t")[0].encode()) % reducers


def run(spark, job, arguments):
    counters = spark.accumulator({}, CounterSums())
    reducers = arguments.reducers

    def phase(name, any_text=True):
        return through(name, reducers, any_text, counters)
    lines = spark.textFile(",".join(arguments.input)).mapPartitionsWithIndex(
        phase("map", arguments.any_text))
    if job["map_only"] == "no":
        lines = (lines.map(key_and_value)
                 .repartitionAndSortWithinPartitions(reducers, partitioner(job["lead"], reducers))
                 .map("\t".join).mapPartitionsWithIndex(phase("reduce")))
    lines.saveAsTextFile(arguments.output)
    for (group, name), amount in sorted(counters.value.items()):
        print(f"{group}: {name} = {amount}", file=sys.stderr)


def main():
    job = dict(word.split("=", 1)
               for word in shlex.split((HERE / "job/job.conf").read_text(), comments=True))
    parser = argparse.ArgumentParser(description=f"Runs the job {job['job_name']} on Spark.")
    parser.add_argument("--reducers", type=int, default=int(job["reducers"]), metavar="N")
    parser.add_argument("--any-text", action="store_true",
                        help="take lines with U+FFFD, whatever they were")
    parser.add_argument("input", nargs="+")
    parser.add_argument("output")
    arguments = parser.parse_args()
    if job["one_reducer"] == "yes" and arguments.reducers != 1:
        parser.error("the job sorts all of its output, and this would sort each part: "
                     "only --reducers 1")
    with tempfile.TemporaryDirectory() as scratch:
        archive = shutil.make_archive(os.path.join(scratch, "job"), "gztar", HERE / "job")
        # Else a carriage return would end a line, too.
        conf = (SparkConf().setAppName(job["job_name"])
                .set("spark.hadoop.textinputformat.record.delimiter", "\n"))
        with SparkContext(conf=conf) as spark:
            spark.addArchive(f"{archive}#job")
            run(spark, job, arguments)


if __name__ == "__main__":
    main()
