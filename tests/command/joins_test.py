"""The joins of mapreduce/builtin through the example that uses them, against nested loops."""

import random
import unittest

from command_case import CommandCase


def rows_of(seed, count, keys):
    rng = random.Random(seed)
    return [(b"k%d" % int(keys * rng.random() ** 2), b"%d" % rng.randint(0, 10**6))
            for _ in range(count)]


def text_of(rows):
    return b"".join(b"%s\t%s\n" % row for row in rows)


def joined(left, right, kind="inner"):
    """Lines of the join, sorted."""
    sides = ({}, {})
    for side, rows in zip(sides, (left, right)):
        for key, rest in rows:
            side.setdefault(key, []).append(rest)
    lines = []
    for key in sides[0].keys() | sides[1].keys():
        lefts, rights = sides[0].get(key, []), sides[1].get(key, [])
        if not rights and kind in ("left", "full"):
            rights = [b""]
        if not lefts and kind in ("right", "full"):
            lefts = [b""]
        lines += [b"%s\t%s\t%s\n" % (key, a, b) for a in lefts for b in rights]
    return sorted(lines)


class Joins(CommandCase):
    def setUp(self):
        super().setUp()
        self.left_rows, self.right_rows = rows_of(1, 3000, 900), rows_of(2, 2000, 1200)
        self.left = self.write("left.tsv", text_of(self.left_rows))
        (self.dir / "right").mkdir()
        self.right = self.write("right/a.tsv", text_of(self.right_rows[:700]))
        self.write("right/b.tsv", text_of(self.right_rows[700:]))

    def lines(self, result):
        return b"".join(self.parts(result.output)).splitlines(keepends=True)

    def test_through_the_shuffle(self):
        for kind in ("inner", "left", "right", "full"):
            outputs = set()
            for flags in ([], ["--split-size", "3000", "--threads", "5"], ["--memory", "32M"]):
                result = self.run_job("join", [f"right={self.right.parent}", f"left={self.left}"],
                                      "--reducers", "3", *flags, args=[f"--kind={kind}"])
                self.assertEqual(sorted(self.lines(result)),
                                 joined(self.left_rows, self.right_rows, kind))
                outputs.add(tuple(self.parts(result.output)))
            self.assertEqual(len(outputs), 1, kind)

    def test_a_side_may_be_several_files_and_directories(self):
        expected = joined(self.right_rows, self.left_rows)
        right = self.right.parent
        for left in ([f"left={right}"], [f"left={right}/"], [f"left={right}/*.tsv"],
                     [f"left={right}/a.tsv", f"left={right}/b.tsv"],
                     [f"left={right}/a.tsv", f"{right}/b.tsv"]):  # A name goes for what follows it.
            result = self.run_job("join", [*left, f"right={self.left}"])
            self.assertEqual(sorted(self.lines(result)), expected)

    def test_a_file_may_be_joined_with_itself(self):
        result = self.run_job("join", [f"left={self.left}", f"right={self.left}"])
        self.assertEqual(sorted(self.lines(result)), joined(self.left_rows, self.left_rows))

    def test_a_side_without_files_is_a_mistake(self):
        for inputs, message in (([f"left={self.left}"], "input 'right' of job join was not given"),
                                ([self.left, f"right={self.right}"], "says of none"),
                                ([f"lift={self.left}", f"right={self.right}"], "says of none")):
            result = self.run_job("join", inputs, expect=64)
            self.assertIn(message, result.text)
            self.assertIn("-i left=PATH -i right=PATH", result.text)

    def test_by_broadcast(self):
        table = self.write("table.tsv", text_of(self.right_rows))
        expected = [b"%s\t%s\t%s\n" % (key, rest, other) for key, rest in self.left_rows
                    for other_key, other in self.right_rows if key == other_key]
        result = self.run_job("join", [self.left], "--split-size", "5000", "--file",
                              f"right={table}", args=["--how=broadcast"])
        self.assertEqual(self.lines(result), expected)

    def sort(self, rows, name, reducers):
        """Each side as a sorted output of `reducers` parts, by a join with nothing."""
        none = self.write(f"{name}.none", b"\n")
        rows_path = self.write(f"{name}.rows", text_of(rows))
        return self.run_job("join", [f"left={rows_path}", f"right={none}"], "--reducers", reducers,
                            args=["--kind=left"]).output

    def test_by_merging_sorted_parts(self):
        left, right = (self.sort(rows, name, 3) for name, rows in
                       (("l", self.left_rows), ("r", self.right_rows)))
        expected = joined([(k, r + b"\t") for k, r in self.left_rows],
                          [(k, r + b"\t") for k, r in self.right_rows])
        for flags in ([], ["--split-size", "1000", "--threads", "3"]):
            result = self.run_job("join", [left], *flags,
                                  args=["--how=merge", f"--right={right}"])
            self.assertEqual(sorted(self.lines(result)), expected)

    def test_merging_refuses_what_is_not_alike_or_not_sorted(self):
        left, right = self.sort(self.left_rows, "l", 3), self.sort(self.right_rows, "r", 2)
        result = self.run_job("join", [left], args=["--how=merge", f"--right={right}"], expect=64)
        self.assertIn("has 2 parts, the input 3", result.text)
        (self.dir / "other").mkdir()
        self.write("other/left.tsv", b"a\t1\n")
        unsorted = self.write("left.tsv", b"b\t1\na\t1\n")
        result = self.run_job("join", [unsorted], expect=65,
                              args=["--how=merge", f"--right={self.dir}/other"])
        self.assertIn("left.tsv:4", result.text)
        self.assertIn("smaller than the one before it", result.text)


if __name__ == "__main__":
    unittest.main()
