"""The hand-written limits of iterative jobs and their generators, against loops in plain Python."""

import json
import math
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

LIMITS = pathlib.Path(os.environ["LIMITS"])
SINGLE_PRECISION = 1e-5


def read_points(path):
    rows = [[float(word) for word in line.split()] for line in path.read_text().splitlines()]
    return [row[0] for row in rows], [row[1:] for row in rows]


def k_means(points, k, rounds):
    centres = [list(point) for point in points[:k]]
    for _ in range(rounds):
        sums = [[0.0] * len(points[0]) for _ in range(k)]
        counts = [0] * k
        for point in points:
            nearest = min(range(k), key=lambda c: sum(
                (a - b) ** 2 for a, b in zip(point, centres[c])))
            counts[nearest] += 1
            sums[nearest] = [a + b for a, b in zip(sums[nearest], point)]
        centres = [[x / counts[c] for x in sums[c]] if counts[c] else centres[c]
                   for c in range(k)]
    return centres


def logistic_regression(labels, points, rate, rounds):
    weights = [0.0] * (len(points[0]) + 1)
    for _ in range(rounds):
        gradient = [0.0] * len(weights)
        for label, point in zip(labels, points):
            row = [1.0, *point]
            error = 1 / (1 + math.exp(-sum(w * x for w, x in zip(weights, row)))) - label
            gradient = [g + error * x for g, x in zip(gradient, row)]
        weights = [w - rate * g / len(points) for w, g in zip(weights, gradient)]
    return weights


def page_rank(edges, rounds):
    n = max(max(edge) for edge in edges) + 1
    degrees = [0] * n
    for source, _ in edges:
        degrees[source] += 1
    ranks = [1 / n] * n
    for _ in range(rounds):
        dangling = sum(rank for rank, degree in zip(ranks, degrees) if degree == 0)
        following = [0.15 / n + 0.85 * dangling / n] * n
        for source, target in edges:
            following[target] += 0.85 * ranks[source] / degrees[source]
        ranks = following
    return ranks


class IterativeLimits(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="spillway-limits-"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.out = self.dir / "out"

    def make(self, program, *arguments):
        path = self.dir / f"{program}{len(list(self.dir.iterdir()))}"
        subprocess.run([LIMITS / program, *map(str, arguments), path], check=True)
        return path

    def run_limit(self, program, *arguments, rounds):
        """The numbers of each line of the output; the same bytes for any number of threads."""
        texts = set()
        for threads in (1, 2, 5):
            command = [LIMITS / program, "--threads", str(threads), *map(str, arguments), self.out]
            times = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
            self.assertEqual(len(times["iteration_seconds"]), rounds)
            self.assertGreater(times["parse_seconds"], 0)
            texts.add(self.out.read_text())
        self.assertEqual(len(texts), 1)
        return [[float(word) for word in line.split()] for line in texts.pop().splitlines()]

    def expect_near(self, got, expected, delta=1e-9):
        self.assertEqual([len(row) for row in got], [len(row) for row in expected])
        for got_row, expected_row in zip(got, expected):
            for a, b in zip(got_row, expected_row):
                self.assertAlmostEqual(a, b, delta=delta * max(1, abs(b)))

    def test_k_means(self):
        # Coordinates are turned four and sixteen at a time, centres compared up to eight at a time.
        for dimensions, k in ((3, 5), (7, 1), (16, 10), (21, 15)):
            points = self.make("generate_points", "--points", 9001, "--dimensions", dimensions,
                               "--labels", 5)
            got = self.run_limit("k_means", points, k, 2, rounds=2)
            self.expect_near(got, k_means(read_points(points)[1], k, 2), SINGLE_PRECISION)

    def test_logistic_regression(self):
        for dimensions in (4, 16):
            points = self.make("generate_points", "--points", 9001, "--dimensions", dimensions,
                               "--labels", 2)
            got = self.run_limit("logistic_regression", points, 0.5, 4, rounds=4)
            self.expect_near(got, [logistic_regression(*read_points(points), 0.5, 4)],
                             SINGLE_PRECISION)

    def test_page_rank(self):
        path = self.make("generate_graph", "--vertices", 3000, "--edges", 20000)
        edges = [tuple(map(int, line.split())) for line in path.read_text().splitlines()]
        self.assertEqual(len(edges), 20000)
        got = self.run_limit("page_rank", path, 4, rounds=4)
        ranks = page_rank(edges, 4)
        self.expect_near(got, [[vertex, rank] for vertex, rank in enumerate(ranks)])
        self.assertAlmostEqual(sum(ranks), 1)

    def test_degrees_follow_a_power_law(self):
        path = self.make("generate_graph", "--vertices", 1000, "--edges", 100000)
        counts = {}
        for line in path.read_text().splitlines():
            target = line.split("\t")[1]
            counts[target] = counts.get(target, 0) + 1
        sorted_counts = sorted(counts.values(), reverse=True)
        self.assertGreater(sorted_counts[0], 30 * sorted_counts[len(counts) // 2])

    def test_generators_do_not_depend_on_threads(self):
        for program, flags in (("generate_points", ("--points", 50000)),
                               ("generate_graph", ("--edges", 700000))):
            texts = {self.make(program, *flags, "--seed", 3, "--threads", threads).read_bytes()
                     for threads in (1, 3)}
            self.assertEqual(len(texts), 1, program)

    def test_bad_lines_are_named_by_their_offset(self):
        cases = (("k_means", b"0 1 2\n1 3\n", ("1", "1"), ":6: a point of 1 numbers among"),
                 ("k_means", b"0 1 2\n1 3 x\n", ("1", "1"), ":9: no finite number"),
                 ("k_means", b"0 1 nan\n", ("1", "1"), ":3: no finite number"),
                 ("page_rank", b"0\t1\n1\tx\n", ("1",), ":4: no edge"),
                 ("page_rank", b"0\t1\n1\n", ("1",), ":4: no edge"),
                 ("page_rank", b"0\t1\t2\n", ("1",), ":0: more than two"))
        for program, text, operands, message in cases:
            path = self.dir / "bad"
            path.write_bytes(text)
            result = subprocess.run([LIMITS / program, "--threads", "1", path, *operands,
                                     self.out],
                                    capture_output=True)
            self.assertEqual(result.returncode, 65, (program, text))
            self.assertIn(f"{path}{message}", result.stderr.decode())


if __name__ == "__main__":
    unittest.main()
