"""Plugins that are damaged, foreign or misbehave: the message names the class, the record and its
place; nothing is left behind."""

import subprocess
import unittest

from command_case import TEST_PLUGINS, CommandCase

FAULTY = TEST_PLUGINS / "faulty.so"


class Misbehaving(CommandCase):
    def setUp(self):
        super().setUp()
        self.input = self.write("in.txt", b"fine\nalso fine\nBOOM\nrest\n")

    def fails(self, how, *flags, expect=1):
        return self.run_job(FAULTY, [self.input], *flags, args=[how], expect=expect).text

    def test_exceptions_name_class_record_and_place(self):
        text = self.fails("throw")
        for part in ("Faulty", "std::out_of_range", "index 7 of 3", "in.txt:15", "BOOM",
                     "map task 0"):
            self.assertIn(part, text)
        self.assertIn("no std::exception", self.fails("throw-int"))

    def test_a_bad_record_is_bad_data(self):
        text = self.fails("bad-record", expect=65)
        self.assertIn("no such field", text)
        self.assertIn("in.txt:15", text)

    def test_setup_and_configure_fail_with_their_own_words(self):
        self.assertIn("the model file is missing", self.fails("setup", expect=64))
        self.assertIn("configure threw", self.fails("configure", expect=64))

    def test_a_failing_reducer_names_its_key(self):
        text = self.fails("reduce-throw", "--reducers", "1")
        for part in ("FaultyReducer", "index 7 of 3", "'BOOM'", "reduce task 0"):
            self.assertIn(part, text)

    def test_a_partition_out_of_range(self):
        text = self.fails("partition", "--reducers", "3")
        self.assertIn("answered 3 for key 'BOOM'", text)

    def test_skipping_bad_records_within_a_quota(self):
        result = self.run_job(FAULTY, [self.input], "--skip-bad", "1", "--reducers", "1",
                              args=["throw"])
        self.assertEqual(self.parts(result.output), [b"also fine\t1\nfine\t1\nrest\t1\n"])
        self.assertEqual(result.summary["records_skipped"], 1)
        self.assertIn("in.txt:15", " ".join(result.summary["warnings"]))
        # A retried task counts once, and not the record that it passes over.
        self.assertEqual(result.summary["counters"]["faulty"]["lines"], 3)
        two = self.write("two.txt", b"BOOM\nBOOM\n")
        self.assertIn("BOOM", self.run_job(FAULTY, [two], "--skip-bad", "1", args=["throw"],
                                           expect=1).text)


class Crashing(CommandCase):
    """User code that takes the process along. The scratch and staging directories of a crash are
    removed by the next run of the same output."""

    def test_crashes_name_the_record(self):
        path = self.write("in.txt", b"fine\nBOOM\n")
        output = self.new_output()
        for how, what in (("abort", "SIGABRT"), ("segv", "SIGSEGV"), ("null", "SIGSEGV"),
                          ("divide", "SIGFPE"), ("overflow", "SIGSEGV"), ("exit", "exit()"),
                          ("terminate", "SIGABRT"), ("reduce-segv", "SIGSEGV")):
            with self.subTest(how=how):
                command = self.arguments(FAULTY, [path], output, args=[how])
                result = subprocess.run(command, capture_output=True, timeout=60)
                text = result.stderr.decode()
                self.assertEqual(result.returncode, 1, text)
                self.assertIn(what, text)
                self.assertIn("BOOM", text)
                if not how.startswith("reduce"):
                    self.assertIn("in.txt:5", text)
                self.assertFalse(output.exists())
        self.run_job("wordcount", [path], output=output)   # Checks that nothing is left.

    def test_a_crash_in_a_comparator_names_the_plugin(self):
        path = self.write("in.txt", b"fine\nBOOM\n")
        command = self.arguments(FAULTY, [path], self.new_output(), args=["compare"])
        result = subprocess.run(command, capture_output=True, timeout=60)
        self.assertEqual(result.returncode, 1, result.stderr.decode())
        self.assertIn("faulty.so", result.stderr.decode())

    def test_a_hang_is_ended_by_the_time_out(self):
        path = self.write("in.txt", b"fine\nBOOM\n")
        for flags in (["--retries", "0"], ["--threads", "1"], ["--threads", "2"]):
            with self.subTest(flags=flags):
                command = self.arguments(FAULTY, [path], self.new_output(), "--timeout", "1s",
                                         *flags, args=["hang"])
                result = subprocess.run(command, capture_output=True, timeout=60)
                self.assertEqual(result.returncode, 1, result.stderr.decode())
                text = result.stderr.decode()
                self.assertIn("progress", text)
                if flags == ["--threads", "1"]:
                    self.assertRegex(text, r"all threads hang.*map task 0, attempt 0: \S+ hangs at "
                                     r".*in.txt:5, record 'BOOM'")


class Damaged(CommandCase):
    """At many places; what is no plugin at all is in bad_input_rows.py."""

    def test_truncated_at_any_length(self):
        whole = FAULTY.read_bytes()
        for size in (10, 63, 64, 500, len(whole) // 3, len(whole) - 1):
            with self.subTest(size=size):
                cut = self.write("cut.so", whole[:size])
                text = self.run_job(cut, [self.write("in.txt", b"x\n")], expect=65).text
                self.assertIn("cut.so", text)

    def test_bytes_zeroed_in_the_middle_never_take_the_command_along(self):
        whole = bytearray(FAULTY.read_bytes())
        for at in range(0, len(whole) - 4096, len(whole) // 12):
            image = whole[:]
            image[at:at + 4096] = bytes(4096)
            path = self.write("holes.so", bytes(image))
            # What is left of the code may run in circles: then its time-out ends it.
            command = self.arguments(path, [self.write("in.txt", b"x\n")], self.new_output(),
                                     "--timeout", "2s", "--retries", "0", args=["none"])
            result = subprocess.run(command, capture_output=True, timeout=60)
            self.assertIn(result.returncode, (0, 1, 64, 65), result.stderr)


if __name__ == "__main__":
    unittest.main()
