"""The other examples and the typed test plugin, against oracles."""

import random
import re
import subprocess
import unittest

from command_case import BIN_DIR, TEST_PLUGINS, CommandCase, random_text


class Examples(CommandCase):
    def test_grep_keeps_the_lines_as_they_are_and_in_order(self):
        text = random_text(5, 400_000)
        needle = re.search(rb"[^\x00-\x20]{2}", text).group()
        path = self.write("in.txt", text)
        expected = [line for line in text.split(b"\n") if needle in line]
        result = self.run_job("grep", [path], "--split-size", "10000", "--threads", "7",
                              args=[needle])
        got = b"".join(self.parts(result.output))
        self.assertEqual(got, b"".join(line + b"\n" for line in expected))
        self.assertEqual(result.summary["counters"]["grep"]["matching lines"], len(expected))

    def test_grep_wants_one_pattern(self):
        path = self.write("in.txt", b"x\n")
        result = self.run_job("grep", [path], expect=64)
        self.assertIn("PATTERN", result.text)

    def test_inverted_index(self):
        texts = [self.write("a.txt", random_text(7, 60_000)), self.write("b.txt", b"b a b")]
        postings = {}
        for path in texts:
            for match in re.finditer(rb"[^\x00-\x20]+", path.read_bytes()):
                place = b"%s:%d" % (str(path).encode(), match.start())
                postings.setdefault(match.group(), []).append(place)
        expected = sorted(w + b"\t" + b" ".join(p) + b"\n" for w, p in postings.items())
        for flags in ([], ["--split-size", "5000", "--threads", "7"], ["--memory", "32M"]):
            result = self.run_job("inverted_index", texts, "--reducers", "3", *flags)
            lines = b"".join(self.parts(result.output)).splitlines(keepends=True)
            self.assertEqual(sorted(lines), expected)

    def test_tera_sort_is_sorted_over_all_parts(self):
        data = self.dir / "records"
        subprocess.run([BIN_DIR / "tera_generate", "200000", data, "7"], check=True)
        before = self.validate("--unsorted", data)
        for flags in (["--reducers", "1"], ["--reducers", "5", "--threads", "3"],
                      ["--reducers", "2", "--memory", "32M", "--split-size", "1M"]):
            with self.subTest(flags=flags):
                result = self.run_job("tera_sort", [data], *flags)
                sizes = [len(part) for part in self.parts(result.output)]
                self.assertEqual(self.validate(*sorted(result.output.glob("part-*"))), before)
                self.assertLess(max(sizes), 1.5 * sum(sizes) / len(sizes))

    def validate(self, *arguments):
        return subprocess.run([BIN_DIR / "tera_validate", *arguments], check=True,
                              capture_output=True).stdout

    def test_tera_sort_refuses_a_torn_record(self):
        path = self.write("torn", b"x" * 250)
        result = self.run_job("tera_sort", [path], expect=65)
        self.assertIn("torn:200: the last record has 50 of 100 bytes", result.text)

    def test_secondary_sort(self):
        rng = random.Random(3)
        rows = [(b"k%d" % rng.randint(0, 40), rng.randint(-10**12, 10**12)) for _ in range(20_000)]
        path = self.write("in.tsv", b"".join(b"%s\t%d\n" % row for row in rows))
        expected = [b"%s\t%d\n" % row for row in sorted(rows)]
        for flags in ([], ["--split-size", "9999"], ["--memory", "32M", "--threads", "5"]):
            result = self.run_job("secondary_sort", [path], "--reducers", "3", *flags)
            lines = b"".join(self.parts(result.output)).splitlines(keepends=True)
            # Each key is whole in one part, with its numbers in order.
            self.assertEqual(sorted(lines, key=lambda line: line.split(b"\t")[0]), expected)
        result = self.run_job("secondary_sort", [path], "--reducers", "1", args=["--top=2"])
        first_two = [line for i, line in enumerate(expected)
                     if [e.split(b"\t")[0] for e in expected[max(0, i - 2):i]].count(
                         line.split(b"\t")[0]) < 2]
        self.assertEqual(b"".join(self.parts(result.output)), b"".join(first_two))

    def test_secondary_sort_names_a_bad_line(self):
        path = self.write("in.tsv", b"a\t1\nb\tx\nc\t2\n")
        result = self.run_job("secondary_sort", [path], expect=65)
        self.assertIn("in.tsv:4", result.text)
        self.assertIn("ParseLine", result.text)
        result = self.run_job("secondary_sort", [path], "--skip-bad", "1", "--reducers", "1")
        self.assertEqual(self.parts(result.output), [b"a\t1\nc\t2\n"])
        self.assertEqual(result.summary["records_skipped"], 1)


class Typed(CommandCase):
    """A plugin with its own key type, partitioner, combiner and output format."""

    def test_own_types(self):
        rng = random.Random(9)
        cities = [b"Oslo", b"Lima", b"Roma", b"", b"New\0York"]
        rows = [(rng.choice(cities), rng.randint(1990, 2000), rng.randint(-300, 400) / 10)
                for _ in range(30_000)]
        path = self.write("in.tsv", b"".join(b"%s\t%d\t%.1f\n" % row for row in rows))
        ignore = self.write("ignore", b"Lima\n")
        best = {}
        for city, year, degrees in rows:
            if city != b"Lima":
                count, maximum = best.get((city, -year), (0, -1e300))
                best[city, -year] = (count + 1, max(maximum, degrees))
        expected = [b"%s,%d,%d,%g\n" % (c, -y, *v) for (c, y), v in sorted(best.items())]
        outputs = set()
        for flags in ([], ["--split-size", "20000"], ["--memory", "32M", "--threads", "7"]):
            result = self.run_job(TEST_PLUGINS / "typed.so", [path], "--reducers", "2",
                                  "--file", f"ignore={ignore}", *flags)
            parts = self.parts(result.output)
            outputs.add(tuple(parts))
            lines = []
            for part in parts:
                rows_of_part = part.split(b"\n")
                self.assertEqual(rows_of_part[0], b"city,year,count,maximum")
                self.assertEqual(rows_of_part[-2:], [b"end", b""])
                lines += [row + b"\n" for row in rows_of_part[1:-2]]
            self.assertEqual(sorted(lines), sorted(expected))
            ignored = sum(1 for row in rows if row[0] == b"Lima")
            self.assertEqual(result.summary["counters"]["typed"]["ignored"], ignored)
            # Counted on both sides of the shuffle.
            self.assertGreaterEqual(result.summary["counters"]["typed"]["groups"],
                                    2 * len(expected))
        self.assertEqual(len(outputs), 1)


if __name__ == "__main__":
    unittest.main()
