"""Directories named key=value: read with conditions, written, and replaced one by one."""

import json
import resource
import subprocess
import unittest

from command_case import SPILLWAY, TEST_PLUGINS, CommandCase

PARTITIONS = TEST_PLUGINS / "partitions.so"


class PartitionedInput(CommandCase):
    def setUp(self):
        super().setUp()
        self.table = self.dir / "table"
        for day in range(1, 11):
            for country in ("at", "de"):
                leaf = self.table / f"date=2024-01-{day:02}" / f"country={country}"
                leaf.mkdir(parents=True)
                (leaf / "part-00000").write_bytes(b"x\n" * day)

    def counts(self, *flags, inputs=None):
        result = self.run_job(PARTITIONS, inputs or [self.table], "--reducers", "1", *flags)
        return result, b"".join(self.parts(result.output)).decode()

    def test_only_what_fits_is_read(self):
        result, text = self.counts("--where", "date>=2024-01-09", "--where", "country=de")
        self.assertEqual(text, "2024-01-09 de\t9\n2024-01-10 de\t10\n")
        self.assertEqual(result.summary["input_records"], 19)

    def test_tasks_of_many_files_know_each_of_them(self):
        _, text = self.counts()
        expected = "".join(f"2024-01-{day:02} {country}\t{day}\n"
                           for day in range(1, 11) for country in ("at", "de"))
        self.assertEqual(text, expected)

    def test_a_directory_that_may_not_be_read_is_not_needed(self):
        """It is passed over before it is looked at: a loop of links in it is no error."""
        (self.table / "date=2024-01-01" / "again").symlink_to("..")
        _, text = self.counts("--where", "date=2024-01-02")
        self.assertEqual(text, "2024-01-02 at\t2\n2024-01-02 de\t2\n")

    def test_the_plan_counts_what_is_passed_over(self):
        command = [SPILLWAY, "run", PARTITIONS, "-i", self.table, "-o", self.dir / "out",
                   "--dry-run", "--explain", "--where", "date<2024-01-03"]
        plan = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        self.assertIn("4 files", plan)
        self.assertIn("--where reads 2 directories and passes over 8", plan)
        self.assertIn("directories that fit date<2024-01-03: 2 read, 8 passed over", plan)

    def test_a_mapper_that_asks_for_a_key_that_is_not_there(self):
        path = self.write("plain", b"x\n")
        result = self.run_job(PARTITIONS, [path], "--retries", "0", expect=1)
        for word in ("plain' lies in no directory named date=", "CountByDirectory"):
            self.assertIn(word, result.text)


class PartitionedOutput(CommandCase):
    FLAGS = ("--reducers", "2", "--split-size", "1K")

    def sales(self, days, count=3):
        return "".join(f"2024-01-{day:02}\t{country}\t{number}\n"
                       for number in range(1, count + 1) for day in days
                       for country in ("at", "de")).encode()

    def expected(self, days, count=3):
        return {(f"2024-01-{day:02}", country): sum(range(1, count + 1))
                for day in days for country in ("at", "de")}

    def write_table(self, name, data, *flags, output=None, expect=0, args=("write",)):
        path = self.write(name, data)
        output = output or self.new_output()
        command = self.arguments(PARTITIONS, [path], output, *self.FLAGS, *flags, args=args)
        result = subprocess.run(command, capture_output=True, timeout=300)
        result.text = result.stderr.decode(errors="replace")
        self.assertEqual(result.returncode, expect, result.text)
        self.assertEqual(list(self.dir.glob(".*.spillway-*")), [])
        result.output = output
        return result

    def table(self, output):
        """The sums, by what the directories say; each line must be in its own."""
        found = {}
        for path, data in self.tree(output).items():
            levels = path.split("/")
            if levels[-1][0] == "_":
                continue
            self.assertEqual(len(levels), 3, path)
            for line in data.decode().splitlines():
                date, country, total = line.split("\t")
                self.assertEqual(levels[:2], [f"date={date}", f"country={country}"])
                found[date, country] = int(total)
        return found

    def test_results_lie_in_their_directories_alone(self):
        result = self.write_table("all", self.sales(range(1, 4)))
        self.assertEqual(self.table(result.output), self.expected(range(1, 4)))
        self.assertEqual(sorted(p.name for p in result.output.iterdir()),
                         ["_SUCCESS", "_manifest.json", "date=2024-01-01", "date=2024-01-02",
                          "date=2024-01-03"])

    def test_only_written_partitions_are_replaced(self):
        output = self.write_table("all", self.sales(range(1, 4))).output
        before = self.tree(output)
        stays = (output / "date=2024-01-01").stat().st_ino
        for _ in range(2):
            self.write_table("some", self.sales([2, 4], count=5), "--overwrite=partitions",
                             output=output)
            self.assertEqual(self.table(output), {**self.expected([1, 3]),
                                                  **self.expected([2, 4], count=5)})
            self.assertEqual((output / "date=2024-01-01").stat().st_ino, stays)
        self.write_table("all", self.sales(range(1, 5)), "--overwrite=partitions", output=output)
        self.assertEqual(self.table(output), self.expected(range(1, 5)))
        after = self.tree(output)
        for path, data in before.items():
            self.assertEqual(after[path], data, path)
        self.assertEqual([p for p in output.rglob(".*")], [])

    def test_a_rerun_gives_the_same_tree(self):
        flags = "--overwrite=partitions"
        output = self.write_table("all", self.sales(range(1, 4)), flags).output
        before = self.tree(output)
        self.write_table("all", self.sales(range(1, 4)), flags, "--threads", "1", output=output)
        self.assertEqual(self.tree(output), before)
        self.write_table("all", self.sales(range(1, 4)), "--overwrite", output=output)
        self.assertEqual(self.tree(output), before)

    def test_without_overwrite_nothing_is_replaced(self):
        output = self.write_table("all", self.sales([1])).output
        result = self.write_table("more", self.sales([2]), output=output, expect=73)
        self.assertIn("--overwrite", result.text)
        self.assertEqual(self.table(output), self.expected([1]))

    def test_another_layout_is_refused_and_stays(self):
        output = self.write_table("all", self.sales([1]), args=("scatter",)).output
        (output / "date=2024-01-01").mkdir()
        (output / "date=2024-01-01" / "data").write_bytes(b"x")
        before = {path: path.read_bytes() for path in output.rglob("*") if path.is_file()}
        result = self.write_table("all", self.sales([1, 2]), "--overwrite=partitions",
                                  output=output, expect=73)
        for word in ("date=2024-01-01", "holds the file 'data'", "nothing was replaced"):
            self.assertIn(word, result.text)
        self.assertEqual({p: p.read_bytes() for p in output.rglob("*") if p.is_file()}, before)

    def test_what_is_written_is_read_with_conditions(self):
        """Values that are no names of files come back as they were."""
        data = "".join(f"{day}\t{country}\t1\n" for day in ("a/b", "..", "x=%41", "")
                       for country in ("c:d", "\u00e4")).encode()
        output = self.write_table("odd", data).output
        self.assertTrue((output / "date=a%2Fb" / "country=c%3Ad").is_dir())
        self.assertTrue((output / "date=__HIVE_DEFAULT_PARTITION__").is_dir())
        result = self.run_job(PARTITIONS, [output], "--reducers", "1")
        lines = b"".join(self.parts(result.output)).decode().splitlines()
        self.assertEqual(sorted(lines), sorted(f"{day} {country}\t1"
                                               for day in ("a/b", "..", "x=%41", "")
                                               for country in ("c:d", "\u00e4")))
        result = self.run_job(PARTITIONS, [output], "--reducers", "1", "--where", "date=a/b")
        self.assertEqual(result.summary["input_records"], 2)

    def test_many_partitions_in_turn_take_few_files_and_little_memory(self):
        lines = "".join(f"d\tc\t{i * 7919 % 1500}\n" for i in range(60_000))
        path = self.write("scattered", lines.encode())
        output = self.new_output()
        few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48))
        command = self.arguments(PARTITIONS, [path], output, "--memory", "48M", "--no-sync",
                                 "--split-size", "256K", args=["scatter"])
        result = subprocess.run(command, capture_output=True, preexec_fn=few, timeout=300)
        self.assertEqual(result.returncode, 0, result.stderr)
        tree = self.tree(output)
        found = {}
        for name, data in tree.items():
            if not name.split("/")[-1].startswith("_"):
                found[name.split("/")[0]] = found.get(name.split("/")[0], 0) + data.count(b"\n")
        self.assertEqual(found, {f"number={i}": 40 for i in range(1500)})
        summary = json.loads(result.stdout)
        self.assertLess(summary["peak_rss_bytes"], 1.1 * 48 * 2**20)

    def test_a_result_without_a_directory(self):
        result = self.write_table("all", self.sales([1]), "--retries", "0", args=("nowhere",),
                                  expect=1)
        self.assertIn("Add at least one key", result.text)


class PartitionedChain(CommandCase):
    def test_conditions_are_for_the_input_and_not_for_stages(self):
        """The chain joins its input with what a stage made of it."""
        for day in ("1", "2"):
            (self.dir / f"t/day={day}").mkdir(parents=True)
            self.write(f"t/day={day}/cities", f"city{day}\tplace\n".encode())
        result = self.run_job("connected_components", [self.dir / "t"], "--where", "day=2")
        self.assertEqual(b"".join(self.parts(result.output)), b"city2\tcity2\nplace\tcity2\n")
        self.assertEqual(result.summary["input_records"], 1)


if __name__ == "__main__":
    unittest.main()
