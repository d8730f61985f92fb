"""Named outputs: results beside the main ones, in directories of the output."""

import random
import unittest

from command_case import TEST_PLUGINS, CommandCase

OUTPUTS = TEST_PLUGINS / "outputs.so"


def sample(seed, lines):
    """Lines `key TAB number`, and some that are none. With their oracle: sums, rejected lines."""
    rng = random.Random(seed)
    text, sums, rejected, offset = [], {}, [], 0
    for _ in range(lines):
        key, number = f"key{rng.randrange(200)}", rng.randrange(5)
        line = f"{key}\t{number}" if rng.random() < 0.9 else f"no number {rng.randrange(100)}"
        if "\t" in line:
            sums[key] = sums.get(key, 0) + number
        else:
            rejected.append(f"{line}\t{offset}\n")
        text.append(line + "\n")
        offset += len(line) + 1
    return "".join(text).encode(), sums, rejected


class NamedOutputs(CommandCase):
    FLAGS = ("--split-size", "4K", "--reducers", "3")

    def setUp(self):
        super().setUp()
        data, self.sums, self.rejected = sample(7, 2000)
        self.input = self.write("in", data)

    def run_outputs(self, *flags, args=(), **more):
        return self.run_job(OUTPUTS, [self.input], *self.FLAGS, *flags, args=args, **more)

    def lines_below(self, tree, directory):
        return [line for path, data in sorted(tree.items())
                if path.startswith(directory) and not path.split("/")[-1].startswith("_")
                for line in data.decode().splitlines(keepends=True)]

    def check(self, tree):
        totals = sorted(f"{key}\t{total}\n" for key, total in self.sums.items())
        self.assertEqual(sorted(self.lines_below(tree, "part-")), totals)
        self.assertEqual(sorted(self.lines_below(tree, "large/part-")),
                         [line for line in totals if int(line.split("\t")[1]) >= 10])
        # Map tasks in their order: the lines as they stand in the input.
        self.assertEqual(self.lines_below(tree, "rejected/map-"), self.rejected)

    def test_each_is_a_directory_with_a_file_of_each_task_that_wrote(self):
        result = self.run_outputs()
        tree = self.tree(result.output)
        self.check(tree)
        self.assertEqual({path for path in tree if path.startswith(("large/", "part-"))},
                         {"part-00000", "part-00001", "part-00002", "large/_manifest.json",
                          "large/part-00000", "large/part-00001", "large/part-00002"})
        written = sum(len(data) for path, data in tree.items() if not path.split("/")[-1][0] == "_")
        self.assertEqual(result.summary["output_bytes"], written)

    def test_threads_memory_and_retries_change_nothing(self):
        expected = self.tree(self.run_outputs().output)
        for flags, args in ((("--threads", "1"), ()), (("--threads", "4", "--memory", "40M"), ()),
                            ((), ("", "--fail-once"))):
            with self.subTest(flags=flags, args=args):
                result = self.run_outputs(*flags, args=args)
                self.assertEqual(self.tree(result.output), expected)
        self.assertGreater(result.summary["attempts_failed"], 5)

    def test_a_job_without_reducers(self):
        tree = self.tree(self.run_outputs(args=["map-only"]).output)
        self.assertEqual(self.lines_below(tree, "rejected/part-"), self.rejected)
        self.assertNotIn("rejected/map-00000", tree)

    def test_what_no_task_writes_is_not_there(self):
        path = self.write("good", b"a\t1\n")
        output = self.run_job(OUTPUTS, [path], "--reducers", "1").output
        self.assertEqual(sorted(p.name for p in output.iterdir()),
                         ["_SUCCESS", "_manifest.json", "part-00000"])

    def test_names_that_lead_elsewhere_are_refused(self):
        for name, why in (("../x", "begins with '.'"), ("/tmp/x", "level without a name"),
                          ("a/../../x", "begins with '.'"), ("_x", "passed over as input"),
                          ("part-00000", "names of parts"), ("attempts", "attempts are written"),
                          ("a\nb", "control characters"), ("x" * 300, "longer than 255"),
                          ("a//b", "level without a name"),
                          ("_SPILLWAY_OWNER", "passed over as input")):
            with self.subTest(name):
                result = self.run_outputs("--retries", "0", args=["", f"--name={name}"], expect=1)
                for word in (why, "is no name of an output", "Parse"):
                    self.assertIn(word, result.text)

    def test_there_are_not_too_many(self):
        result = self.run_outputs("--retries", "0", args=["", "--many=32"], expect=1)
        self.assertIn("at most 32 named outputs", result.text)

    def test_a_combiner_has_none(self):
        result = self.run_outputs("--retries", "0", args=["combiner"], expect=1)
        self.assertIn("a combine task of this job has no named outputs", result.text)

    def test_only_the_last_stage_of_a_chain_has_some(self):
        result = self.run_outputs("--retries", "0", args=["chain"], expect=1)
        self.assertIn("only the last stage of a chain may write to 'rejected'", result.text)

    def test_overwrite_replaces_them_with_the_rest(self):
        output = self.run_outputs().output
        path = self.write("good", b"a\t1\n")
        self.run_job(OUTPUTS, [path], "--reducers", "1", "--overwrite", output=output)
        self.assertEqual(sorted(p.name for p in output.iterdir()),
                         ["_SUCCESS", "_manifest.json", "part-00000"])


if __name__ == "__main__":
    unittest.main()
