"""Folds, orders and protobuf messages through whole jobs, against oracles, in every shape that may
not change a byte."""

import math
import random
import subprocess
import unittest

from command_case import TEST_PLUGINS, CommandCase

SHAPES = ([], ["--split-size", "10000", "--threads", "5"], ["--memory", "32M", "--compress", "lz4"])


class Folds(CommandCase):
    def setUp(self):
        super().setUp()
        rng = random.Random(11)
        self.rows = [(b"k%d" % int(rng.paretovariate(0.5)), rng.randint(-10**6, 10**6))
                     for _ in range(40_000)]
        self.rows += [(b"", 5), (b"a\0", 7), (b"a", -7), (b"x" * 40, 1), (b"x" * 40, 2)]
        self.groups = {}
        for key, number in self.rows:
            self.groups.setdefault(key, []).append(number)

    def fold(self, name, rows=None):
        text = b"".join(b"%s\t%s\n" % (key, str(value).encode())
                        for key, value in rows or self.rows)
        path = self.write("in.tsv", text)
        outputs = []
        for flags in SHAPES:
            result = self.run_job(TEST_PLUGINS / "folds.so", [path], "--reducers", "2", *flags,
                                  args=[name])
            outputs.append(self.parts(result.output))
        self.assertEqual(outputs[0], outputs[1])
        self.assertEqual(outputs[0], outputs[2])
        lines = b"".join(outputs[0]).split(b"\n")
        return {line.split(b"\t")[0]: line.split(b"\t")[1:] for line in lines if line}

    def expect(self, name, function):
        got = self.fold(name)
        self.assertEqual({key: value[0] for key, value in got.items()},
                         {key: str(function(numbers)).encode()
                          for key, numbers in self.groups.items()})

    def test_sum(self):
        self.expect("sum", sum)

    def test_min_and_max(self):
        self.expect("min", min)
        self.expect("max", max)

    def test_count(self):
        self.expect("count", len)

    def test_top_n(self):
        self.expect("top3", lambda n: ",".join(map(str, sorted(n, reverse=True)[:3])))

    def test_distinct(self):
        self.expect("distinct", lambda n: len(set(n)))
        self.expect("distinct-range", lambda n: len(set(n)))

    def test_mean(self):
        for key, (text,) in self.fold("mean").items():
            self.assertEqual(float(text), sum(self.groups[key]) / len(self.groups[key]))

    def test_a_fold_of_the_users_own(self):
        for key, (divisor, count) in self.fold("gcd").items():
            self.assertEqual(int(divisor), math.gcd(*self.groups[key]))
            self.assertEqual(int(count), len(self.groups[key]))

    def test_narrow_integers_keep_their_sign(self):
        got = self.fold("narrow-max", [(b"a", -3), (b"a", -7), (b"b", -1), (b"b", 32767)])
        self.assertEqual(got, {b"a": [b"-3"], b"b": [b"32767"]})

    def test_flags_and_characters(self):
        self.expect("flags", lambda n: int(max(n) > 0))
        rows = [(b"b", 1), (b"a", 0), (b"\xff", 1), (b"b", 0)]
        path = self.write("in.tsv", b"".join(b"%s\t%d\n" % row for row in rows))
        result = self.run_job(TEST_PLUGINS / "folds.so", [path], "--reducers", "1",
                              args=["initials"])
        signed = lambda row: row[0][0] - 256 * (row[0][0] > 127)   # As char on x86-64.
        expected = b"".join(b"%s\t%d\n" % row for row in sorted(rows, key=signed))
        self.assertEqual(self.parts(result.output), [expected])

    def test_sums_of_doubles_are_added_in_the_order_of_the_input(self):
        rng = random.Random(4)
        rows = [(b"k%d" % rng.randint(0, 5), rng.uniform(-1, 1) * 10**rng.randint(-8, 8))
                for _ in range(20_000)]
        sums, minima, counts = {}, {}, {}
        for key, number in rows:
            sums[key] = sums[key] + number if key in sums else number
            minima[key] = min(minima.get(key, math.inf), number)
            counts[key] = counts.get(key, 0) + 1
        for name, expected in (("double-sum", sums), ("double-min", minima),
                               ("double-mean", {k: sums[k] / counts[k] for k in sums})):
            got = {key: float(value[0]) for key, value in self.fold(name, rows).items()}
            self.assertEqual(got, expected)   # To the last bit.

    def test_integer_keys_come_in_their_order(self):
        text = self.write("in.tsv", b"".join(b"x\t%d\n" % n for _, n in self.rows))
        result = self.run_job(TEST_PLUGINS / "folds.so", [text], "--reducers", "3",
                              args=["by-number"])
        numbers = [int(line.split(b"\t")[0])
                   for line in b"".join(self.parts(result.output)).splitlines()]
        self.assertEqual(numbers, sorted({n for _, n in self.rows}))


class Orders(CommandCase):
    def sort(self, lines, order, *flags):
        path = self.write("in.txt", b"".join(line + b"\n" for line in lines))
        return self.run_job(TEST_PLUGINS / "orders.so", [path], *flags, args=[order]).output

    def test_a_custom_order_groups_what_compares_equal(self):
        rng = random.Random(5)
        words = [b"apple", b"Apple", b"APPLE", b"pear", b"Pear", b"fig"]
        lines = [rng.choice(words) + b"%d" % rng.randint(0, 300) for _ in range(20_000)]
        offset, expected = 0, {}
        for line in lines:
            expected.setdefault(line.lower(), [line, []])[1].append(b"%d" % offset)
            offset += len(line) + 1
        rows = [spelling + b"\t" + b",".join(offsets) + b"\n"
                for _, (spelling, offsets) in sorted(expected.items())]
        for flags in SHAPES:
            parts = self.parts(self.sort(lines, "case-blind", "--reducers", "1", *flags))
            self.assertEqual(parts, [b"".join(rows)])
        several = self.parts(self.sort(lines, "case-blind", "--reducers", "4"))
        self.assertEqual(sorted(b"".join(several).splitlines(keepends=True)), sorted(rows))

    def test_a_custom_group_spans_keys(self):
        lines = [b"bean", b"Apple", b"avocado", b"Beet", b"apple"]
        parts = self.parts(self.sort(lines, "initials", "--reducers", "1"))
        self.assertEqual(parts, [b"Apple\t5,24,11\nbean\t0,19\n"])

    def test_descending_over_all_parts(self):
        rng = random.Random(6)
        lines = [b"%d" % rng.randint(0, 10**9) for _ in range(30_000)] + [b"", b"9\x00", b"9"]
        for flags in SHAPES:
            parts = self.parts(self.sort(lines, "descending", "--reducers", "3", *flags))
            self.assertEqual(b"".join(parts).split(b"\n")[:-1], sorted(lines, reverse=True))


class Messages(CommandCase):
    def test_protobuf_keys_and_values(self):
        rng = random.Random(8)
        rows = [(rng.choice([b"t", b"h", b""]), rng.choice([b"in", b"out"]), rng.randint(0, 99))
                for _ in range(10_000)]
        path = self.write("in.tsv", b"".join(b"%s\t%s\t%d\n" % row for row in rows))
        expected = {}
        for name, label, value in rows:
            total, count = expected.get((name, label), (0, 0))
            expected[name, label] = (total + value, count + 1)
        lines = sorted(b"%s,all=2,%s=1\t%d\t%d\n" % (*key, *value)
                       for key, value in expected.items())
        for flags in SHAPES:
            result = self.run_job(TEST_PLUGINS / "protobuf.so", [path], "--reducers", "2", *flags)
            got = b"".join(self.parts(result.output)).splitlines(keepends=True)
            self.assertEqual(sorted(got), lines)


class Exceptions(CommandCase):
    def test_anything_that_configure_throws_becomes_a_message(self):
        path = self.write("in.txt", b"fine\n")
        for how, what in (("configure", "configure threw"),
                          ("configure-int", "no std::exception")):
            text = self.run_job(TEST_PLUGINS / "faulty.so", [path], args=[how], expect=64).text
            self.assertIn(what, text)

    def test_an_order_that_throws_ends_the_job_at_once(self):
        path = self.write("in.txt", b"fine\nBOOM\n")
        command = self.arguments(TEST_PLUGINS / "faulty.so", [path], self.new_output(),
                                 args=["compare-throw"])
        result = subprocess.run(command, capture_output=True, timeout=60)
        text = result.stderr.decode()
        self.assertEqual(result.returncode, 1, text)
        self.assertIn("ThrowingOrder threw std::out_of_range: index 7 of 3", text)
        self.assertRegex(text, "the plugin '.*faulty.so' ")


if __name__ == "__main__":
    unittest.main()
