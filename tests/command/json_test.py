"""JSON lines against Python's json module."""

import json
import random
import unittest

from command_case import TEST_PLUGINS, CommandCase

PLUGIN = TEST_PLUGINS / "json_rows.so"
BAD_DATA = 65
NAMES = ["a", "caf\u00e9", "line\nbreak", 'quo"te', "\u20ac\U0001f600", "", "back\\slash",
         "x" * 300]


def shown(value):
    """A line's fields as the plugin shows them."""
    count = value.get("count")
    share = value.get("share")
    is_open = value.get("open")
    return "\t".join([value["name"], "-" if count is None else str(count),
                      "-" if share is None else f"{share:f}",
                      "-" if is_open is None else "yes" if is_open else "no"])


class JsonLines(CommandCase):
    def random_lines(self, seed, count):
        rng = random.Random(seed)
        lines = []
        for _ in range(count):
            fields = {"name": rng.choice(NAMES),
                      "count": rng.choice([None, 0, -5, 2**63 - 1, -2**63]),
                      "share": rng.choice([None, 1, 0.5, -2.25e3]),
                      "open": rng.choice([None, True, False]), "more": [1, {"name": "inner"}]}
            names = list(fields)
            rng.shuffle(names)
            value = {name: fields[name] for name in names
                     if name == "name" or rng.random() < 0.8}
            lines.append(json.dumps(value, ensure_ascii=rng.random() < 0.5)
                         + rng.choice(["\n", "\r\n", "\n\n", "\n \t\n"]))
        return lines

    def output_of(self, path, *flags, how="show"):
        result = self.run_job(PLUGIN, [path], *flags, args=[how])
        return b"".join(self.parts(result.output))

    def test_reads_what_python_writes(self):
        for seed in range(4):
            lines = self.random_lines(seed, 2000)
            path = self.write("in.jsonl", "".join(lines).encode())
            expected, offset = [], 0
            for line in lines:
                expected.append(f"{offset}\t{shown(json.loads(line))}\n")
                offset += len(line.encode())
            for flags in ((), ("--split-size", "512"), ("--split-size", "10K", "--threads", "3")):
                self.assertEqual(self.output_of(path, *flags).decode(), "".join(expected),
                                 f"seed {seed}")

    def test_sums_fields(self):
        path = self.write("in.jsonl", b'{"name":"a","count":2}\n{"count":-7,"name":"b"}\n'
                                      b'{"name":"\\u0061","count":3}')
        self.assertEqual(self.output_of(path, "--reducers", "1", how="sum"), b"a\t5\nb\t-7\n")

    def test_a_byte_order_mark_is_passed_over_at_the_start_alone(self):
        mark, line = b"\xef\xbb\xbf", b'{"name":"a","count":2}\n'
        path = self.write("in.jsonl", mark + line + line)
        self.assertEqual(self.output_of(path, "--reducers", "1", how="sum"), b"a\t4\n")
        self.assertIn("malformed JSON", self.run_job(
            PLUGIN, [self.write("in.jsonl", line + mark + line)], args=["sum"], expect=65).text)

    def test_any_value_is_a_line(self):
        values = [b"1", b'"text"', b"[]", b"null", b"true", b"{}", b"-1.5e3"]
        path = self.write("in.jsonl", b"\n".join(values))
        expected = b"".join(b"%s\t1\n" % value for value in sorted(values))
        self.assertEqual(self.output_of(path, "--reducers", "1", how="bare"), expected)

    def test_bad_lines_are_named_and_can_be_skipped(self):
        good = b'{"name":"good","count":1}\n'
        for bad, why in ((b'{"name":"x","count":1', "malformed JSON"),
                         (b'{"name":"x","count":1}}', "malformed JSON"),
                         (b'{"name":"x","count":1} {}', "malformed JSON"),
                         (b"{'name':1}", "malformed JSON"), (b"name", "malformed JSON"),
                         (b'{"name":"\xff","count":1}', "malformed JSON"),
                         (b'{"name":"x","count":1e999}', "malformed JSON"),
                         (b'{"name":"x","count":99999999999999999999}', "malformed JSON"),
                         (b'{"count":1}', "the field 'name' is missing"),
                         (b'{"name":1,"count":1}', "the field 'name' is an integer, not a string"),
                         (b'{"name":"x","count":"1"}', "'count' is a string, not an integer"),
                         (b'{"name":"x","count":1.5}', "not an integer"),
                         (b'{"name":"x","count":null}', "'count' is null, not an integer"),
                         (b"[1]", "the line is an array, not an object")):
            with self.subTest(bad):
                path = self.write("in.jsonl", good * 3 + bad + b"\n" + good)
                failed = self.run_job(PLUGIN, [path], args=["sum"], expect=BAD_DATA)
                self.assertIn(why, failed.text)
                self.assertIn(f"in.jsonl:{3 * len(good)}, record", failed.text)
                self.assertEqual(self.output_of(path, "--skip-bad", "1", "--reducers", "1",
                                                how="sum"), b"good\t4\n")

    def test_a_nesting_without_end_is_bad_data(self):
        path = self.write("in.jsonl", b"[" * 100_000 + b"\n")
        failed = self.run_job(PLUGIN, [path], args=["bare"], expect=BAD_DATA)
        self.assertIn("malformed JSON", failed.text)


if __name__ == "__main__":
    unittest.main()
