"""Directories named key=value: read with conditions."""

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
