"""PageRank and connected components in disk mode, against loops in plain Python."""

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
        for flags in ([], ["--reducers", "3", "--split-size", "7000", "--threads", "5"],
                      ["--memory", "32M", "--reducers", "1"]):
            result, got = self.ranks(path, "--rounds", "5", *flags)
            self.assertEqual(got, expected)
            self.assertEqual(result.summary["rounds"], 5)
            self.assertFalse(result.summary["converged"])
            self.assertEqual(len(result.summary["iteration_seconds"]), 5)
        self.assertAlmostEqual(sum(rank for _, rank in got), 1)

    def test_ranks_of_a_graph_of_several_ranges_do_not_depend_on_reducers(self):
        path = self.dir / "edges.tsv"
        rng = random.Random(3)
        path.write_bytes(b"".join(b"%d\t%d\n" % (rng.randrange(150_000), rng.randrange(150_000))
                                  for _ in range(200_000)))
        texts = set()
        for reducers in ("1", "2", "5"):
            result, got = self.ranks(path, "--rounds", "2", "--reducers", reducers)
            texts.add(b"".join(self.parts(result.output)))
        self.assertEqual(len(texts), 1)
        self.assertAlmostEqual(sum(rank for _, rank in got), 1)
        self.assertGreater(len(got), 2 * 65_536)

    def test_it_ends_when_no_rank_moves(self):
        path = self.write("edges.tsv", b"a\tb\nb\ta\n")
        result, got = self.ranks(path)
        self.assertEqual(got, [(b"a", 0.5), (b"b", 0.5)])
        self.assertTrue(result.summary["converged"])
        self.assertEqual(result.summary["rounds"], 1)
        path = self.write("edges.tsv", text_of(random_edges(2, 50, 200)))
        result, _ = self.ranks(path, "--rounds", "100", args=["--tolerance=1e-4"])
        self.assertTrue(result.summary["converged"])
        self.assertLess(result.summary["rounds"], 100)

    def test_the_packages_of_this_debian(self):
        script = pathlib.Path(__file__).parents[2] / "bench/jobs/package_graph.py"
        status = pathlib.Path("/var/lib/dpkg/status")
        if not status.exists():
            self.skipTest("no Debian")
        text = subprocess.run([sys.executable, script, status], check=True,
                              capture_output=True).stdout
        edges = [tuple(line.split(b"\t")) for line in text.splitlines()]
        _, got = self.ranks(self.write("packages.tsv", text), "--rounds", "3")
        self.assertEqual(got, sorted(page_rank(edges, 3).items()))

    def test_bad_edges_are_named(self):
        for line, why in ((b"a", "a line is"), (b"a\t", "without a name"), (b"\tb", "without a"),
                          (b"a\tb\tc", "more than two fields")):
            path = self.write("edges.tsv", b"a\tb\n" + line + b"\n")
            result = self.run_job("page_rank", [path], expect=65)
            self.assertIn("edges.tsv:4", result.text)
            self.assertIn(why, result.text)

    def test_an_empty_graph_is_refused(self):
        result = self.run_job("page_rank", [self.write("edges.tsv", b"\n")], expect=64)
        self.assertIn("no edge", result.text)

    def test_there_is_no_memory_mode(self):
        path = self.write("edges.tsv", b"a\tb\n")
        result = self.run_job("page_rank", [path], "--mode", "memory", expect=64)
        self.assertIn("no memory mode", result.text)
        self.run_job("page_rank", [path], "--mode", "disk")


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
        for flags in ([], ["--reducers", "3", "--split-size", "900", "--threads", "5"]):
            result = self.run_job("connected_components", [path], *flags)
            self.assertEqual(b"".join(self.parts(result.output)), expected)
            self.assertTrue(result.summary["converged"])
            self.assertGreaterEqual(result.summary["rounds"], 12)


if __name__ == "__main__":
    unittest.main()
