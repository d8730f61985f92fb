"""CSV input against Python's csv module."""

import csv
import io
import random
import unittest

from command_case import TEST_PLUGINS, CommandCase

PLUGIN = TEST_PLUGINS / "csv_rows.so"
PIECES = ["a", "word", "", " ", ",", '"', '""', "\n", "\r\n", "caf\u00e9", "'", ";", "x" * 50]


def shown(row):
    """A row as the plugin shows it."""
    text = "".join(field + "\x1f" for field in row)
    return text.replace("\n", "\\n").replace("\r", "\\r").encode()


class Csv(CommandCase):
    def rows_of(self, *names, args=(), flags=()):
        result = self.run_job(PLUGIN, [self.dir / name for name in names], *flags, args=args)
        return b"".join(self.parts(result.output)).splitlines()

    def expected(self, text):
        # Of an empty line, csv makes a row without fields.
        return [shown(row) for row in csv.reader(io.StringIO(text, newline="")) if row]

    def random_csv(self, seed, rows):
        rng = random.Random(seed)
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator=rng.choice(["\n", "\r\n"]),
                            quoting=rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
        for _ in range(rows):
            writer.writerow(["".join(rng.choices(PIECES, k=rng.randint(0, 4)))
                             for _ in range(rng.randint(1, 6))])
        return out.getvalue()

    def test_reads_what_python_writes(self):
        for seed in range(6):
            text = self.random_csv(seed, 3000)
            self.write("in.csv", text.encode())
            expected = self.expected(text)
            self.assertGreater(len(expected), 2000)
            for flags in ((), ("--split-size", "512"), ("--split-size", "10K", "--threads", "3")):
                self.assertEqual(self.rows_of("in.csv", flags=flags), expected, f"seed {seed}")

    def test_takes_odd_quotes_as_python_does(self):
        text = 'a"b,"c"d,"e""f"g\r\n"",\n\n"x\n,y"z,"last"'
        self.write("in.csv", text.encode())
        self.assertEqual(self.rows_of("in.csv"), self.expected(text))

    def test_sorts_files_over_all_parts(self):
        texts = [self.random_csv(seed, 500) for seed in (10, 11, 12)]
        for i, text in enumerate(texts):
            self.write(f"{i}.csv", text.encode())
        expected = sorted(row for text in texts for row in self.expected(text))
        flags = ("--split-size", "4K", "--reducers", "3")
        self.assertEqual(self.rows_of("0.csv", "1.csv", "2.csv", args=["sorted"], flags=flags),
                         expected)

    def test_a_file_that_ends_within_quotes_is_bad_data(self):
        self.write("in.csv", b'a,b\nc,"d\n')
        result = self.run_job(PLUGIN, [self.dir / "in.csv"], expect=65)
        self.assertIn("in.csv:4", result.text)

    def test_the_plan_says_that_files_are_not_split(self):
        self.write("in.csv", b"a,b\n" * 1000)
        result = self.run_job(PLUGIN, [self.dir / "in.csv"], "--split-size", "512", "--explain")
        self.assertEqual(result.summary["maps"], 1)
        self.assertIn("files are not split", result.stdout.decode() + result.text)


if __name__ == "__main__":
    unittest.main()
