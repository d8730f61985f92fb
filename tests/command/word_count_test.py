"""Word count against an oracle: nasty texts, any number of threads, splits and reducers, any
memory."""

import unittest

from command_case import CommandCase, count_words, random_text


class WordCount(CommandCase):
    def expect_counts(self, texts, *flags):
        inputs = [self.write(f"in{i}.txt", text) for i, text in enumerate(texts)]
        result = self.run_job("wordcount", inputs, *flags)
        parts = self.parts(result.output)
        for part in parts:
            lines = part.splitlines(keepends=True)
            self.assertEqual(lines, sorted(lines, key=lambda line: line.rsplit(b"\t", 1)[0]))
        lines = [line for part in parts for line in part.split(b"\n") if line]
        self.assertEqual(sorted(line + b"\n" for line in lines), count_words(*texts))
        return parts

    def test_nasty_texts(self):
        self.expect_counts(
            [b"", b"one", b"a\0b\0\0a", b"x\r\ny\r\nx", b"\xff\xfe\x80 \xc3\x28 a", b"\n\n\n",
             b"no final newline", b"\xef\xbb\xbfbom bom", b" " * 100_000, b"w" * 100_000],
            "--reducers", "4")

    def test_no_words_at_all(self):
        self.expect_counts([b"", b" \n"], "--reducers", "3")

    def test_threads_splits_and_reducers_change_nothing_but_the_partition(self):
        texts = [random_text(1, 300_000), random_text(2, 50_000), b"", random_text(3, 1_000)]
        reference = self.expect_counts(texts, "--reducers", "4")
        for flags in (["--threads", "1"], ["--threads", "7"], ["--split-size", "1K"],
                      ["--split-size", "77777"], ["--memory", "32M"], ["--compress", "none"],
                      ["--compress", "lz4", "--memory", "32M"], ["--in-memory"]):
            with self.subTest(flags=flags):
                self.assertEqual(self.expect_counts(texts, "--reducers", "4", *flags), reference)
        for reducers in (1, 2, 500, 2000):
            with self.subTest(reducers=reducers):
                parts = self.expect_counts(texts, "--reducers", str(reducers))
                self.assertEqual(len(parts), reducers)

    def test_more_words_than_memory(self):
        text = b"".join(b"%x-%d\n" % (i * 2654435761 % 2**32, i) for i in range(1_500_000))
        parts = self.expect_counts([text], "--memory", "32M", "--reducers", "2")
        self.assertEqual(self.expect_counts([text], "--reducers", "2"), parts)

    def test_a_word_larger_than_a_block_and_a_split(self):
        text = b"a " + b"w" * 5_000_000 + b" b " + b"v" * 3_000_000
        self.expect_counts([text], "--split-size", "1M")


if __name__ == "__main__":
    unittest.main()
