"""Several inputs with mappers and formats of their own."""

import gzip
import unittest

from command_case import TEST_PLUGINS, CommandCase

PLUGIN = TEST_PLUGINS / "named_inputs.so"
USAGE, BAD_DATA, JOB_FAILED = 64, 65, 1


class NamedInputs(CommandCase):
    def setUp(self):
        super().setUp()
        self.rows = self.write("a=b.csv", b'k1,"one\nand two"\nk2,x\n' * 300)
        self.lines = self.write("in.txt", b"k1\nk3\n" * 500)

    def run_named(self, inputs, *flags, **more):
        return self.run_job(PLUGIN, inputs, "--reducers", "1", *flags, **more)

    def test_each_has_its_mapper_and_its_format(self):
        # Those of one key in the order of the inputs, not of the command line.
        expected = (b"k1\trow one\nand two\n" * 300 + b"k1\tline\n" * 500 + b"k2\trow x\n" * 300
                    + b"k3\tline\n" * 500)
        for inputs in ([f"rows={self.rows}", f"lines={self.lines}"],
                       [f"lines={self.lines}", f"rows={self.rows}"]):
            for flags in ((), ("--split-size", "512", "--threads", "3")):
                result = self.run_named(inputs, *flags)
                self.assertEqual(b"".join(self.parts(result.output)),
                                 expected + b"~\tend of rows\n")
                # One of each kind reads all, or a table and its pieces of lines.
                self.assertEqual(result.summary["counters"]["mappers"]["rows"], 1)
                self.assertEqual(result.summary["counters"]["mappers"]["lines"],
                                 result.summary["maps"] - 1 if flags else 1)

    def test_a_name_goes_for_the_paths_behind_it_whatever_is_in_them(self):
        packed = self.write("in.txt.gz", gzip.compress(b"k1\n"))
        result = self.run_named([f"rows={self.rows}", self.dir / "a=b.csv.copy",
                                 f"lines={packed}", self.lines], expect=66)
        self.assertIn("a=b.csv.copy", result.text)
        result = self.run_named([f"lines={packed}", self.lines, f"rows={self.rows}"])
        self.assertEqual(result.summary["input_records"], 600 + 1 + 1000)

    def test_what_is_not_named_or_missing_is_a_mistake(self):
        for inputs, why in (([self.lines], "says of none"),
                            ([f"line={self.lines}"], "says of none"),
                            ([f"rows={self.rows}", f"line={self.lines}"], "no input's name"),
                            ([f"rows={self.rows}"], "input 'lines'")):
            text = self.run_named(inputs, expect=USAGE).text
            self.assertIn(why, text)
            self.assertIn("-i rows=PATH -i lines=PATH", text)

    def test_the_output_may_not_be_an_input(self):
        (self.dir / "in").mkdir()
        self.write("in/a", b"x\n")
        text = self.run_named([f"rows={self.rows}", f"lines={self.dir}/in"], expect=USAGE,
                              output=self.dir / "in/out").text
        self.assertIn("inside the input", text)

    def test_what_fails_is_blamed_on_the_mapper_of_the_input(self):
        bad = self.write("bad.csv", b"a,1\nb\n")
        text = self.run_named([f"rows={bad}", f"lines={self.lines}"], expect=BAD_DATA).text
        self.assertIn("ReadRows: not two fields", text)
        self.assertIn("bad.csv:4, record 'b'", text)
        boom = self.write("boom.txt", b"x\nBOOM\n")
        text = self.run_named([f"rows={self.rows}", f"lines={boom}"], expect=JOB_FAILED).text
        self.assertIn("ReadLines threw std::runtime_error: a line went off", text)
        self.assertIn("boom.txt:2, record 'BOOM'", text)
        text = self.run_named([f"rows={self.rows}", f"lines={self.lines}"], args=["late"],
                              expect=USAGE).text
        self.assertIn("ReadLines::Setup: it is late", text)


if __name__ == "__main__":
    unittest.main()
