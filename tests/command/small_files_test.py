"""Ten thousand small files: few tasks, each of about a split, whatever is in the files."""

import gzip
import math
import unittest

from command_case import CommandCase

FILES = 10_000
NAMES_BYTES_MAX = 512 << 10  # Of one task, since it is described in one message.


class SmallFiles(CommandCase):
    def make(self, suffix, pack):
        texts = [b"w%d x\n" % (i % 700) * (1 + i % 40) for i in range(FILES)]
        sizes = []
        for i, text in enumerate(texts):
            folder = self.dir / f"in{suffix}/{i // 1000}"
            folder.mkdir(parents=True, exist_ok=True)
            packed = pack(text)
            (folder / f"{i}{suffix}").write_bytes(packed)
            sizes.append(len(packed))
        return self.dir / f"in{suffix}", sizes, sorted(b"".join(texts).splitlines())

    def test_they_are_packed_by_size(self):
        for suffix, pack in ((".txt", lambda text: text),
                             (".gz", lambda text: gzip.compress(text, 1))):
            directory, sizes, expected = self.make(suffix, pack)
            names_bytes = FILES * (2 * len(f"{directory}/9/9999{suffix}") + 48)
            for split_bytes in (128 << 20, 100_000):
                with self.subTest(suffix=suffix, split_bytes=split_bytes):
                    result = self.run_job("grep", [directory], "--split-size", split_bytes,
                                          "--threads", "2", args=["x"])
                    found = b"".join(self.parts(result.output))
                    self.assertEqual(sorted(found.splitlines()), expected)
                    self.assertEqual(result.summary["input_bytes"], sum(sizes))
                    # A pack ends where the next file would not fit.
                    by_size = math.ceil(sum(sizes) / (split_bytes - max(sizes)))
                    by_names = math.ceil(names_bytes / NAMES_BYTES_MAX)
                    self.assertLessEqual(result.summary["maps"], by_size + by_names)
                    self.assertGreaterEqual(result.summary["maps"], sum(sizes) // split_bytes)

    def test_reducers_know_the_names_of_all(self):
        # A message has room for some of them only.
        folder = self.dir / ("long" * 20)
        folder.mkdir()
        for i in range(400):
            (folder / f"{i}.txt").write_text(f"w{i}\n")
        result = self.run_job("inverted_index", [folder], "--reducers", "3")
        found = sorted(b"".join(self.parts(result.output)).decode().splitlines())
        self.assertEqual(found, sorted(f"w{i}\t{folder}/{i}.txt:0" for i in range(400)))

    def test_outputs_of_a_graph_may_lie_in_a_long_path(self):
        # Its stages read each other's parts by name.
        edges = self.write("edges.txt", b"a\tb\nb\tc\nc\ta\n")
        folder = self.dir / ("long" * 40)
        folder.mkdir()
        short = self.run_job("page_rank", [edges], "--reducers", "4")
        long = self.run_job("page_rank", [edges], "--reducers", "60", output=folder / "out")
        self.assertEqual(sorted(b"".join(self.parts(long.output)).splitlines()),
                         sorted(b"".join(self.parts(short.output)).splitlines()))


if __name__ == "__main__":
    unittest.main()
