"""Iterative jobs through the command: results against a program that goes over the points one by
one, the same bytes in both modes whatever the threads, splits and memory, and bad input."""

import json
import math
import random
import signal
import subprocess
import time
import unittest

from command_case import BIN_DIR, TEST_PLUGINS, CommandCase


def make_points(seed, count, dims, places=4):
    """Lines of points around a few places, with the numbers that are in them."""
    rng = random.Random(seed)
    middles = [[rng.uniform(-20, 20) for _ in range(dims)] for _ in range(places)]
    points, lines = [], []
    for _ in range(count):
        middle = rng.choice(middles)
        point = [round(x + rng.gauss(0, 1.5), 3) for x in middle]
        label = int(point[0] + rng.gauss(0, 4) > 0)
        points.append((label, point))
        lines.append(f"{label} " + " ".join(f"{x:.3f}" for x in point))
    return points, ("\n".join(lines) + "\n").encode()


def k_means(points, k, rounds):
    """The oracle."""
    centres = [list(point) for _, point in points[:k]]
    for _ in range(rounds):
        sums = [[0.0] * len(centres[0]) for _ in range(k)]
        counts = [0] * k
        for _, point in points:
            best = min(range(k), key=lambda c: (math.dist(point, centres[c]), c))
            counts[best] += 1
            for d, x in enumerate(point):
                sums[best][d] += x
        centres = [[s / n for s in total] if n else centre
                   for total, n, centre in zip(sums, counts, centres)]
    return centres, counts


def logistic(points, rounds, rate):
    """The oracle: bias and weights."""
    bias, weights = 0.0, [0.0] * len(points[0][1])
    for _ in range(rounds):
        slope, slopes = 0.0, [0.0] * len(weights)
        for label, point in points:
            z = bias + sum(w * x for w, x in zip(weights, point))
            off = 1 / (1 + math.exp(-z)) - label
            slope += off
            for d, x in enumerate(point):
                slopes[d] += off * x
        bias -= rate * slope / len(points)
        weights = [w - rate * s / len(points) for w, s in zip(weights, slopes)]
    return bias, weights


def growing(text, split_bytes, width, rounds):
    """The oracle of the test plugin: what it prints."""
    parts = -(-len(text) // split_bytes)
    numbers = [[] for _ in range(parts)]
    offset = 0
    for line in text.splitlines(keepends=True):
        numbers[offset // split_bytes].append(int(line.lstrip(b"0")))
        offset += len(line)
    wrap = (1 << 64) - 1
    values = [sum(map(sum, numbers)) + i for i in range(width)]
    for _ in range(rounds):
        sums = sum(sum(part) * (values[0] | 1) for part in numbers)
        values = [(3 * value * parts + sums) & wrap for value in values]
    return b"%d\t%d\n" % (parts if rounds else 0, sum(values) & wrap)


class Loops(CommandCase):
    def part(self, job, path, *flags, args=()):
        result = self.run_job(job, [path], *flags, args=args)
        parts = self.parts(result.output)
        self.assertEqual(len(parts), 1)
        return parts[0], result.summary

    def same_in_all_ways(self, job, path, *flags, args=()):
        """The bytes, after every way of running the job has given them."""
        first, summary = self.part(job, path, *flags, "--mode", "memory", args=args)
        for way in (["--mode", "disk"], ["--threads", "1"], ["--threads", "3"],
                    ["--mode", "disk", "--threads", "4"]):
            other, said = self.part(job, path, *flags, *way, args=args)
            self.assertEqual(other, first, way)
            self.assertEqual(said["rounds"], summary["rounds"])
            self.assertEqual(said["converged"], summary["converged"])
            self.assertEqual(said["output_records"], len(first.splitlines()))
        return first

    def test_k_means_gives_what_a_plain_program_does(self):
        points, text = make_points(1, 3000, 5)
        path = self.write("points.txt", text)
        part, summary = self.part("k_means", path, "--rounds", "6", args=["4", "--tolerance=0"])
        centres, counts = k_means(points, 4, 6)
        lines = [line.split(b"\t") for line in part.splitlines()]
        self.assertEqual([int(line[1]) for line in lines], counts)
        for line, centre in zip(lines, centres):
            for got, wanted in zip(line[2].split(), centre):
                self.assertAlmostEqual(float(got), wanted, delta=1e-5)
        self.assertEqual(summary["mode"], "memory")
        self.assertEqual(len(summary["iteration_seconds"]), summary["rounds"])
        # Points are single-precision; the file was read once.
        self.assertEqual(summary["input_records"], 3000)

    def test_logistic_regression_gives_what_a_plain_program_does(self):
        points, text = make_points(2, 2000, 4)
        path = self.write("points.txt", text)
        part, summary = self.part("logistic_regression", path, "--rounds", "10",
                                  args=["--rate=0.05"])
        bias, weights = logistic(points, 10, 0.05)
        numbers = dict(line.split(b"\t") for line in part.splitlines())
        self.assertAlmostEqual(float(numbers[b"bias"]), bias, delta=1e-4)
        for i, weight in enumerate(weights):
            self.assertAlmostEqual(float(numbers[str(i).encode()]), weight, delta=1e-4)
        self.assertFalse(summary["converged"])

    def test_both_modes_write_the_same_bytes_however_the_input_is_cut(self):
        _, text = make_points(3, 20_000, 3)
        path = self.write("points.txt", text)
        for flags in ([], ["--split-size", "10K"], ["--split-size", "100K", "--rounds", "3"]):
            self.same_in_all_ways("k_means", path, *flags, args=["5"])
        self.same_in_all_ways("logistic_regression", path, "--split-size", "50K", "--rounds", "4")

    def test_every_part_is_finished_also_one_without_records(self):
        lines = [b"%d\n" % (1 + i * 7919) for i in range(3000)]
        lines.insert(1000, b"0" * 30_000 + b"1\n")  # A record for several parts.
        text = b"".join(lines)
        path = self.write("numbers.txt", text)
        for rounds in (0, 1, 6):
            part = self.same_in_all_ways(TEST_PLUGINS / "loops.so", path, "--split-size", "10K",
                                         "--rounds", str(rounds))
            self.assertEqual(part, growing(text, 10 << 10, 3, rounds))

    def test_what_does_not_fit_memory_is_saved_and_gives_the_same_bytes(self):
        path = self.dir / "points.txt"
        with path.open("wb") as out:  # 600 000 * 17 * 4 bytes, parsed: more than 38 MiB.
            subprocess.run([BIN_DIR / "points_generate", "600000", "16", "4"], stdout=out,
                           check=True)
        whole, _ = self.part("k_means", path, "--memory", "1G", "--rounds", "3", args=["4"])
        tight, summary = self.part("k_means", path, "--memory", "32M", "--threads", "2",
                                   "--rounds", "3", args=["4"])
        self.assertEqual(tight, whole)
        self.assertGreater(summary["counters"]["loop"]["batches saved"], 0)
        self.assertLess(summary["peak_rss_bytes"], 32 * 1.1 * 2**20)

    def test_what_a_killed_loop_leaves_goes_with_the_next_one(self):
        path = self.write("points.txt", make_points(8, 2000, 3)[1])
        output = self.new_output()
        left = f".{output.name}.spillway-*"
        command = self.arguments("k_means", [path], output, "--mode", "disk", "--rounds", "100000",
                                 args=["3", "--tolerance=0"])
        with subprocess.Popen(command, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as running:
            while not list(self.dir.glob(f"{left}/round-1/_SUCCESS")):
                self.assertIsNone(running.poll())
                time.sleep(0.001)
            running.kill()
        self.assertNotEqual(list(self.dir.glob(left)), [])
        self.run_job("k_means", [path], "--mode", "disk", "--rounds", "2", args=["3"],
                     output=output)

    def test_a_loop_ends_when_it_converges_and_says_so(self):
        _, text = make_points(5, 3000, 2, places=2)
        path = self.write("points.txt", text)
        for mode in ("memory", "disk"):
            result = self.run_job("k_means", [path], "--mode", mode, args=["2"])
            self.assertTrue(result.summary["converged"], mode)
            self.assertLess(result.summary["rounds"], 20)
            short = self.run_job("k_means", [path], "--mode", mode, "--rounds", "1", args=["2"])
            self.assertFalse(short.summary["converged"], mode)
            self.assertEqual(short.summary["rounds"], 1)

    def test_progress_tells_the_round(self):
        path = self.write("points.txt", make_points(6, 20_000, 3)[1])
        for mode in ("memory", "disk"):
            command = self.arguments("logistic_regression", [path], self.new_output(), "--mode",
                                     mode, "--rounds", "1000000", "--json=events",
                                     args=["--tolerance=0", "--rate=0.0001"])
            command.remove("--json")
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                  text=True) as running:
                rounds = 0
                while rounds == 0:
                    event = json.loads(running.stdout.readline())
                    self.assertIn(event["event"], ("plan", "progress"))
                    rounds = event.get("round", 0)
                self.assertEqual(event["rounds_max"], 1_000_000)
                running.send_signal(signal.SIGINT)
                running.stdout.read()
            self.assertEqual(running.returncode, 130)

    def test_no_rounds_at_all_print_the_first_state(self):
        path = self.write("points.txt", b"0 1 2\n0 3 4\n0 5 6\n")
        for mode in ("memory", "disk"):
            part, _ = self.part("k_means", path, "--mode", mode, "--rounds", "0", args=["2"])
            self.assertEqual(part, b"0\t0\t1 2\n1\t0\t3 4\n")

    def test_the_output_is_replaced_only_when_asked(self):
        path = self.write("points.txt", b"0 1 2\n0 3 4\n")
        output = self.new_output()
        self.run_job("k_means", [path], "--mode", "disk", args=["1"], output=output)
        again = self.run_job("k_means", [path], "--mode", "disk", "--overwrite", args=["2"],
                             output=output)
        self.assertEqual(len(self.parts(again.output)[0].splitlines()), 2)

    def fails(self, text, *words, args=("2",), expect=65, job="k_means"):
        path = self.write("bad.txt", text)
        for mode in ("memory", "disk"):
            result = self.run_job(job, [path], "--mode", mode, "--retries", "0", args=args,
                                  expect=expect)
            for word in words:
                self.assertIn(word, result.text, mode)

    def test_bad_points_are_named_with_file_and_offset(self):
        good = b"1 2 3\n" * 3
        self.fails(good + b"1 2 x3\n" + good, "bad.txt:18", "'x3'")
        self.fails(good + b"1 2 nan\n", "bad.txt:18", "no finite number")
        self.fails(good + b"1 2 1e60\n", "bad.txt:18")
        self.fails(good + b"1 2 3 4\n", "bad.txt:18", "3 numbers")
        self.fails(good + b"\n" + good, "bad.txt:18")
        self.fails(good + b"2 2 3\n", "bad.txt:18", "0 or 1", job="logistic_regression", args=())

    def test_numbers_that_single_precision_cannot_work_with_are_refused(self):
        self.fails(b"0 1 2\n0 1 -2e18\n", "bad.txt:6", "up to 1e18")
        self.fails(b"0 inf 2\n", "bad.txt:0", "no finite number")
        self.fails(b"nan 1 2\n", "bad.txt:0", "no finite number")
        self.fails(b"0 1e30 0\n1 0 1\n" * 9, "in round 2", "smaller --rate",
                   job="logistic_regression", args=["--rate=1e38"])

    def test_points_without_a_label_are_read_whole(self):
        path = self.write("points.txt", b"1 2\n3 4\n")
        for args, expected in ((["1"], b"0\t2\t3\n"), (["1", "--no-label"], b"0\t2\t2 3\n")):
            for mode in ("memory", "disk"):
                part, _ = self.part("k_means", path, "--mode", mode, args=args)
                self.assertEqual(part, expected)
        self.fails(b"1 2\n3\n", "bad.txt:4", "a label and at least one number")
        self.fails(b"1 2\n\n", "bad.txt:4", "at least one number", args=("1", "--no-label"))

    def test_arguments_that_mean_nothing_are_refused(self):
        path = self.write("points.txt", b"0 1 2\n")
        for args, word in ((["1", "--no-labels"], "what is '--no-labels'?"),
                           (["1", "2"], "what is '2'?"), (["x"], "no number of centres"),
                           (["1", "--tolerance=x"], "--tolerance=x"), ([], "give K"),
                           (["5000"], "from 1 to 4096")):
            result = self.run_job("k_means", [path], args=args, expect=64)
            self.assertIn(word, result.text)

    def test_input_that_cannot_be_used_as_a_whole_says_why(self):
        self.fails(b"0 1 2\n", "1 points, too few for 2 centres")
        self.fails(b"", "0 points, too few")
        self.fails(b"", "no points", job="logistic_regression", args=())

    def test_parts_of_different_dimensions_are_refused(self):
        a = self.write("a.txt", b"0 1 2\n")
        b = self.write("b.txt", b"0 1 2 3\n")
        for mode in ("memory", "disk"):
            result = self.run_job("k_means", [a, b], "--mode", mode, args=["1"], expect=65)
            self.assertIn("a.txt:0 have 2 numbers", result.text)
            self.assertIn("b.txt:0 have 3", result.text)

    def test_a_bad_record_may_be_skipped(self):
        path = self.write("points.txt", b"0 1 2\n0 x\n0 3 4\n")
        for mode in ("memory", "disk"):
            result = self.run_job("k_means", [path], "--mode", mode, "--skip-bad", "1",
                                  "--rounds", "0", args=["2"])
            self.assertEqual(self.parts(result.output)[0], b"0\t0\t1 2\n1\t0\t3 4\n")

    def test_a_job_that_is_no_loop_takes_no_rounds(self):
        path = self.write("words.txt", b"a b\n")
        result = self.run_job("wordcount", [path], "--rounds", "3", expect=64)
        self.assertIn("not iterative", result.text)


if __name__ == "__main__":
    unittest.main()
