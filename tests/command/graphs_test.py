"""PageRank and connected components in both modes, against loops in plain Python. PageRank is
compared to the last bit: the loop here adds in the order in which the job does."""

import pathlib
import random
import subprocess
import sys
import unittest

from command_case import CommandCase


def random_edges(seed, vertices, edges):
    rng = random.Random(seed)
    names = [b"v%d" % i for i in range(vertices)] + [b"with blank", b"n\xc3\xa4me"]
    return [(names[int(len(names) * rng.random() ** 2)], rng.choice(names)) for _ in range(edges)]


def text_of(edges):
    return b"".join(b"%s\t%s\n" % edge for edge in edges)


def page_rank(edges, rounds):
    names = sorted({name for edge in edges for name in edge})
    degrees = dict.fromkeys(names, 0)
    for source, _ in edges:
        degrees[source] += 1
    ranks = dict.fromkeys(names, 1 / len(names))
    # In the order in which the job adds: by source, then by target.
    edges = sorted(edges)
    for _ in range(rounds):
        dangling = 0.0
        for name in names:
            dangling += ranks[name] if degrees[name] == 0 else 0.0
        received = {}
        for source, target in edges:
            sent = ranks[source] / degrees[source]
            received[target] = received[target] + sent if target in received else sent
        base = (1 - 0.85) / len(names) + 0.85 * (dangling / len(names))
        ranks = {name: base + 0.85 * received.get(name, 0.0) for name in names}
    return ranks


def components(edges):
    parent = {}

    def root(name):
        while parent.setdefault(name, name) != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for source, target in edges:
        a, b = sorted((root(source), root(target)))
        parent[b] = a
    return sorted((root(name), name) for name in list(parent))


MODES = ("memory", "disk")


class PageRank(CommandCase):
    def ranks(self, path, *flags, args=()):
        result = self.run_job("page_rank", [path], *flags, args=args)
        lines = b"".join(self.parts(result.output)).splitlines()
        return result, [(name, float(rank)) for name, rank in
                        (line.rsplit(b"\t", 1) for line in lines)]

    def test_ranks_are_those_of_a_plain_loop_to_the_last_bit(self):
        edges = random_edges(1, 500, 4000)
        path = self.write("edges.tsv", text_of(edges))
        expected = sorted(page_rank(edges, 5).items())
        for mode in MODES:
            for flags in ([], ["--reducers", "3", "--split-size", "7000", "--threads", "5"],
                          ["--memory", "32M", "--reducers", "1"]):
                result, got = self.ranks(path, "--rounds", "5", "--mode", mode, *flags)
                self.assertEqual(got, expected)
                self.expect_loop(result, mode, 5, converged=False)
        self.assertAlmostEqual(sum(rank for _, rank in got), 1)

    def expect_loop(self, result, mode, rounds, converged):
        summary = result.summary
        self.assertEqual(summary["mode"], mode)
        self.assertEqual(summary["rounds"], rounds)
        self.assertEqual(summary["converged"], converged)
        self.assertEqual(len(summary["iteration_seconds"]), rounds)
        self.assertGreater(summary["start_seconds"], 0)

    def test_memory_mode_is_what_happens_unless_said(self):
        path = self.write("edges.tsv", text_of(random_edges(8, 100, 500)))
        result, got = self.ranks(path, "--rounds", "3")
        self.expect_loop(result, "memory", 3, converged=False)
        self.assertNotIn("changed", result.summary["counters"].get("loop", {}))
        self.assertNotIn("state bytes", result.summary["counters"].get("loop", {}))

    def test_checkpoints_are_for_memory_mode_and_change_nothing(self):
        path = self.write("edges.tsv", text_of(random_edges(9, 100, 500)))
        _, expected = self.ranks(path, "--rounds", "5")
        _, got = self.ranks(path, "--rounds", "5", "--checkpoint-every", "2")
        self.assertEqual(got, expected)
        result = self.run_job("page_rank", [path], "--mode", "disk", "--checkpoint-every", "2",
                              expect=64)
        self.assertIn("--checkpoint-every", result.text)

    def test_odd_graphs_have_the_same_ranks_in_both_modes(self):
        for edges in ([(b"a", b"a")],                                   # one vertex, alone
                      [(b"a", b"b")] * 5 + [(b"b", b"a")],              # repeated edges
                      [(b"z", b"m"), (b"a", b"m"), (b"m", b"m")],       # nobody points to z and a
                      [(b"m", b"a"), (b"m", b"z")],                     # all but one are dangling
                      [(b"hub", b"%04d" % i) for i in range(3000)] +
                      [(b"%04d" % i, b"hub") for i in range(3000)]):
            path = self.write("edges.tsv", text_of(edges))
            expected = sorted(page_rank(edges, 4).items())
            for mode in MODES:
                _, got = self.ranks(path, "--rounds", "4", "--mode", mode, args=["--tolerance=0"])
                self.assertEqual(got, expected, mode)

    def test_no_rounds_leave_the_first_values(self):
        path = self.write("edges.tsv", b"a\tb\nb\tc\n")
        for mode in MODES:
            result, got = self.ranks(path, "--rounds", "0", "--mode", mode)
            self.assertEqual([rank for _, rank in got], [1 / 3] * 3)
            self.assertEqual(result.summary["rounds"], 0)

    def test_states_that_do_not_fit_are_told(self):
        path = self.dir / "edges.tsv"
        path.write_bytes(b"".join(b"%d\t%d\n" % (v, v * 7 % 400_000) for v in range(400_000)))
        tiny = ["--rounds", "1", "--memory", "36M", "--threads", "1"]
        result = self.run_job("page_rank", [path], "--mode", "memory", *tiny, expect=64)
        self.assertIn("the states of the loop need", result.text)
        self.assertIn("--mode disk", result.text)
        fallen, _ = self.ranks(path, *tiny)
        self.assertIn("The rounds run in disk mode", fallen.text)
        self.assertEqual(fallen.summary["mode"], "disk")
        self.assertLess(fallen.summary["peak_rss_bytes"], 1.1 * (36 << 20))
        roomy, _ = self.ranks(path, "--rounds", "1")
        self.assertEqual(roomy.summary["mode"], "memory")
        self.assertEqual(self.parts(fallen.output), self.parts(roomy.output))

    def test_ranks_of_a_graph_of_several_ranges_depend_on_neither_mode_nor_reducers(self):
        path = self.dir / "edges.tsv"
        rng = random.Random(3)
        path.write_bytes(b"".join(b"%d\t%d\n" % (rng.randrange(150_000), rng.randrange(150_000))
                                  for _ in range(200_000)))
        texts = set()
        for flags in (["--mode", "disk", "--reducers", "1"], ["--mode", "disk", "--reducers", "5"],
                      ["--reducers", "2", "--threads", "1"], ["--threads", "5"]):
            result, got = self.ranks(path, "--rounds", "2", *flags)
            texts.add(b"".join(self.parts(result.output)))
        self.assertEqual(len(texts), 1)
        self.assertAlmostEqual(sum(rank for _, rank in got), 1)
        self.assertGreater(len(got), 2 * 65_536)

    def test_it_ends_when_no_rank_moves(self):
        path = self.write("edges.tsv", b"a\tb\nb\ta\n")
        for mode in MODES:
            result, got = self.ranks(path, "--mode", mode)
            self.assertEqual(got, [(b"a", 0.5), (b"b", 0.5)])
            self.expect_loop(result, mode, 1, converged=True)
        path = self.write("edges.tsv", text_of(random_edges(2, 50, 200)))
        ended = [self.ranks(path, "--rounds", "100", "--mode", mode, args=["--tolerance=1e-4"])
                 for mode in MODES]
        for result, _ in ended:
            self.assertTrue(result.summary["converged"])
            self.assertLess(result.summary["rounds"], 100)
        self.assertEqual(ended[0][0].summary["rounds"], ended[1][0].summary["rounds"])
        self.assertEqual(ended[0][1], ended[1][1])

    def test_the_packages_of_this_debian(self):
        script = pathlib.Path(__file__).parents[2] / "bench/jobs/package_graph.py"
        status = pathlib.Path("/var/lib/dpkg/status")
        if not status.exists():
            self.skipTest("no Debian")
        text = subprocess.run([sys.executable, script, status], check=True,
                              capture_output=True).stdout
        edges = [tuple(line.split(b"\t")) for line in text.splitlines()]
        path = self.write("packages.tsv", text)
        for mode in MODES:
            _, got = self.ranks(path, "--rounds", "3", "--mode", mode)
            self.assertEqual(got, sorted(page_rank(edges, 3).items()))

    def test_bad_edges_are_named(self):
        for line, why in ((b"a", "a line is"), (b"a\t", "without a name"), (b"\tb", "without a"),
                          (b"a\tb\tc", "more than two fields")):
            path = self.write("edges.tsv", b"a\tb\n" + line + b"\n")
            for mode in MODES:
                result = self.run_job("page_rank", [path], "--mode", mode, expect=65)
                self.assertIn("edges.tsv:4", result.text)
                self.assertIn(why, result.text)

    def test_an_empty_graph_is_refused(self):
        for mode in MODES:
            for text in (b"", b"\n"):
                result = self.run_job("page_rank", [self.write("edges.tsv", text)], "--mode", mode,
                                      expect=65)
                self.assertIn("no edge", result.text)


class ConnectedComponents(CommandCase):
    def test_components(self):
        rng = random.Random(4)
        groups = [[b"g%d-%d" % (g, i) for i in range(rng.randint(1, 60))] for g in range(40)]
        edges = [(rng.choice(group), rng.choice(group)) for group in groups
                 for _ in range(len(group))]
        # A chain, which takes a round for each of its steps.
        edges += [(b"c%02d" % (i + 1), b"c%02d" % i) for i in range(12)]
        rng.shuffle(edges)
        expected = b"".join(b"%s\t%s\n" % (name, root) for root, name in components(edges))
        path = self.write("edges.tsv", text_of(edges))
        for flags in ([], ["--reducers", "3", "--split-size", "900", "--threads", "5"],
                      ["--mode", "disk"]):
            result = self.run_job("connected_components", [path], *flags)
            self.assertEqual(b"".join(self.parts(result.output)), expected)
            self.assertTrue(result.summary["converged"])
            self.assertGreaterEqual(result.summary["rounds"], 12)


if __name__ == "__main__":
    unittest.main()
