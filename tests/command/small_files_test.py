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


if __name__ == "__main__":
    unittest.main()
