"""Compressed inputs, made by the reference tools: gzip, bzip2, zstd and lz4."""

import csv
import io
import struct
import subprocess
import unittest
import zlib

from command_case import BIN_DIR, SPILLWAY, TEST_PLUGINS, CommandCase, count_words, random_text

TOOLS = {"gz": "gzip", "bz2": "bzip2", "zst": "zstd", "lz4": "lz4"}
BAD_DATA = 65


def packed(ending, text, *flags):
    """`text` as its tool compresses it."""
    return subprocess.run([TOOLS[ending], "-c", "-q", *flags], input=text, capture_output=True,
                          check=True).stdout


def sized_gzip(text):
    """A member that says how long it is, as bgzip writes them."""
    coder = zlib.compressobj(wbits=-15)
    body = coder.compress(text) + coder.flush()
    head = b"\x1f\x8b\x08\x04" + bytes(6)
    extra = struct.pack("<H2sHH", 6, b"BC", 2, len(head) + 8 + len(body) + 8 - 1)
    return head + extra + body + struct.pack("<II", zlib.crc32(text), len(text))


class Archives(CommandCase):
    def text_of(self, job, inputs, *flags, args=()):
        result = self.run_job(job, inputs, *flags, args=args)
        return b"".join(self.parts(result.output))

    def test_words_of_archives_are_those_of_their_text(self):
        text = random_text(1, 700_000)
        expected = b"".join(count_words(text))
        for ending in TOOLS:
            for flags in ((), ("-1",), ("-9",)):
                path = self.write(f"t.{ending}", packed(ending, text, *flags))
                for shape in ((), ("--memory", "64M", "--threads", "3"), ("--split-size", "4K")):
                    with self.subTest(ending=ending, flags=flags, shape=shape):
                        found = self.text_of("wordcount", [path], "--reducers", "1", *shape)
                        self.assertEqual(found, expected)

    def test_members_are_one_text_and_archives_without_text_have_no_records(self):
        # Lines cross the borders of members.
        texts = [random_text(seed, 50_000) for seed in range(3)]
        expected = b"".join(count_words(b"".join(texts)))
        for ending in TOOLS:
            with self.subTest(ending=ending):
                members = [packed(ending, text) for text in (texts[0], b"", *texts[1:], b"")]
                path = self.write(f"t.{ending}", b"".join(members))
                empty = self.write(f"empty.{ending}", packed(ending, b""))
                found = self.text_of("wordcount", [empty, path], "--reducers", "1")
                self.assertEqual(found, expected)
                self.assertEqual(self.text_of("wordcount", [empty]), b"")

    def test_archives_are_split_where_a_decoder_can_begin(self):
        # Frames end anywhere in a line; bzip2 has blocks of 100 KB, at any bit.
        text = random_text(4, 1_500_000) + b"\n"
        pieces = [text[i:i + 60_001] for i in range(0, len(text), 60_001)]
        archives = {"bz2": packed("bz2", text, "-1"),
                    "gz": b"".join(sized_gzip(piece) for piece in pieces),
                    "zst": b"".join(packed("zst", piece) for piece in pieces),
                    "lz4": b"".join(packed("lz4", piece) for piece in pieces)}
        for ending, archive in archives.items():
            with self.subTest(ending=ending):
                path = self.write(f"t.{ending}", archive)
                flags = ("--split-size", str(len(archive) // 6))
                job = self.run_job("stream", [path], *flags,
                                   args=["--mapper=cat", "--reducer=NONE"])
                self.assertEqual(b"".join(self.parts(job.output)), text)
                parts = [part for part in self.parts(job.output) if part]
                self.assertGreaterEqual(len(parts), 5, "one task read all of it")
                self.assertEqual(job.summary["input_bytes"], len(archive))
                words = self.text_of("wordcount", [path], "--reducers", "1", *flags)
                self.assertEqual(words, b"".join(count_words(text)))

    def test_what_cannot_be_split_is_said(self):
        text = random_text(4, 600_000)
        for ending in ("gz", "zst", "lz4"):
            with self.subTest(ending=ending):
                path = self.write(f"t.{ending}", packed(ending, text))
                result = self.run_job("wordcount", [path], "--split-size", "20K")
                self.assertEqual(result.summary["maps"], 1)
                self.assertIn("will not be split", result.text)

    def test_memory_is_planned_by_the_first_frame_with_content(self):
        # As pzstd writes them, each with a frame before it that has none.
        skipped = b"\x50\x2a\x4d\x18\x04\0\0\0size"
        path = self.write("t.zst", skipped + packed("zst", random_text(8, 500_000), "--long=27"))
        planned = subprocess.run([SPILLWAY, "run", "wordcount", "-i", path, "-o",
                                  self.dir / "unused", "--dry-run", "--explain"],
                                 capture_output=True, check=True, text=True)
        self.assertRegex(planned.stdout, r"decoder +1\d\d MiB for each thread")

    def test_a_directory_may_hold_all_kinds_beside_plain_files(self):
        texts = [random_text(seed, 40_000) for seed in range(5)]
        (self.dir / "in").mkdir()
        self.write("in/plain.txt", texts[4])
        for text, ending in zip(texts, TOOLS):
            self.write(f"in/t.{ending}", packed(ending, text))
        # A word may end with its file.
        expected = b"".join(count_words(*texts))
        result = self.run_job("wordcount", [self.dir / "in"], "--reducers", "1")
        self.assertEqual(b"".join(self.parts(result.output)), expected)
        self.assertEqual(result.summary["maps"], 1)
        self.assertEqual(result.summary["input_bytes"],
                         sum(path.stat().st_size for path in (self.dir / "in").iterdir()))

    def test_rows_of_csv_and_records_of_fixed_size_are_read_as_well(self):
        rows = io.StringIO(newline="")
        csv.writer(rows).writerows([[f"a\n{i}", "b,c", '"'] for i in range(5000)])
        plain = self.write("in.csv", rows.getvalue().encode())
        records = self.dir / "records.bin"
        subprocess.run([BIN_DIR / "tera_generate", "20000", records, "7"], check=True)
        expected_rows = self.text_of(TEST_PLUGINS / "csv_rows.so", [plain])
        expected_records = self.text_of("tera_sort", [records], "--reducers", "3")
        for ending in TOOLS:
            with self.subTest(ending=ending):
                path = self.write(f"in.csv.{ending}", packed(ending, plain.read_bytes()))
                self.assertEqual(self.text_of(TEST_PLUGINS / "csv_rows.so", [path]), expected_rows)
                path = self.write(f"records.{ending}", packed(ending, records.read_bytes()))
                result = self.run_job("tera_sort", [path], "--reducers", "3")
                parts = self.parts(result.output)
                self.assertEqual(b"".join(parts), expected_records)
                # Keys were sampled from the text, or all would be in one part.
                self.assertGreater(min(map(len, parts)), 300_000)

    def test_streaming_commands_get_the_text(self):
        text = random_text(5, 200_000).replace(b"\0", b" ")
        path = self.write("t.zst", packed("zst", text))
        output = self.new_output()
        subprocess.run([SPILLWAY, "stream", "-m", "cat", "-r", "NONE", "-i", path, "-o", output,
                        "-q"], check=True)
        self.assertEqual(b"".join(self.parts(output)).splitlines(), text.splitlines())

    def test_the_plan_says_what_is_not_split(self):
        text = random_text(6, 300_000)
        path = self.write("t.gz", packed("gz", text))
        result = self.run_job("wordcount", [path], "--split-size", "16K", "--explain")
        self.assertEqual(result.summary["maps"], 1)
        self.assertIn("t.gz", result.text)
        self.assertIn("will not be split", result.text)
        planned = subprocess.run([SPILLWAY, "run", "wordcount", "-i", path, "-o",
                                  self.dir / "unused", "--dry-run", "--explain"],
                                 capture_output=True, check=True, text=True)
        self.assertIn("1 compressed file, 0 of them split", planned.stdout)
        self.assertIn("1 of the files, of which 0 are split", planned.stdout)
        self.assertNotIn("warning", planned.stderr)

    def test_what_expands_without_end_takes_no_more_memory(self):
        zeros = subprocess.run("head -c 400M /dev/zero | zstd -q -c", shell=True, check=True,
                               capture_output=True).stdout
        path = self.write("zeros.zst", zeros)
        result = self.run_job("wordcount", [path], "--memory", "64M", "--threads", "1")
        self.assertEqual(result.summary["input_bytes"], len(zeros))
        self.assertLess(result.summary["peak_rss_bytes"], 70 << 20)
        # As one line of text, it cannot be held.
        result = self.run_job("grep", [path], "--memory", "64M", args=["x"], expect=BAD_DATA)
        self.assertIn("zeros.zst:0 (of the decompressed text): a record is longer", result.text)

    def test_an_archive_that_needs_much_memory_says_so(self):
        text = random_text(7, 300_000)
        path = self.write("t.bz2", packed("bz2", text, "-9"))
        result = self.run_job("wordcount", [path], "--memory", "64M", "--threads", "40",
                              "--explain")
        self.assertIn("decoder", result.stdout.decode())
        self.assertLess(result.summary["peak_rss_bytes"], 70 << 20)

    def test_a_bad_record_is_named_by_its_place_in_the_text(self):
        lines = b"0123456789\n" * 1000 + b"BOOM\n" + b"0123456789\n" * 1000
        path = self.write("t.gz", packed("gz", lines))
        faulty = TEST_PLUGINS / "faulty.so"
        failed = self.run_job(faulty, [path], args=["bad-record"], expect=BAD_DATA)
        self.assertIn("t.gz:11000 (of the decompressed text), record 'BOOM'", failed.text)
        skipped = self.run_job(faulty, [path], "--skip-bad", "1", args=["bad-record"])
        self.assertEqual(skipped.summary["records_skipped"], 1)

    def test_a_warning_names_what_looks_packed_and_is_read_as_it_is(self):
        paths = [self.write(name, b"a b\n") for name in ("a.xz", "b.tgz", "c.txt")]
        result = self.run_job("wordcount", paths)
        self.assertIn("2 files are read without being decompressed", result.text)
        self.assertIn("a.xz. Only .gz", result.text)

    def test_damage_behind_good_records_leaves_no_output(self):
        text = random_text(8, 900_000)
        for ending in TOOLS:
            with self.subTest(ending=ending):
                good = packed(ending, text)
                cut = self.write(f"cut.{ending}", good[:-5])
                ended = self.run_job("wordcount", [cut], expect=BAD_DATA)
                self.assertIn("ends too early", ended.text)
                self.assertIn(f"cut.{ending}: byte {len(good) - 5} of the compressed", ended.text)
                at = len(good) * 2 // 3
                flipped = good[:at] + bytes([good[at] ^ 0x55]) + good[at + 1:]
                damaged = self.write(f"damaged.{ending}", flipped)
                ended = self.run_job("wordcount", [damaged], expect=BAD_DATA)
                self.assertIn("is damaged", ended.text)
                self.assertIn(f"{TOOLS[ending]} -t checks it", ended.text)


if __name__ == "__main__":
    unittest.main()
