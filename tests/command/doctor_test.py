"""`spillway doctor`, as its users run it."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from command_case import SPILLWAY


class Doctor(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="spillway-doctor-")
        self.addCleanup(directory.cleanup)
        self.dir = pathlib.Path(directory.name)

    def doctor(self, *words, expect=0, **environment):
        ended = subprocess.run([SPILLWAY, "doctor", *words], cwd=self.dir, text=True,
                               capture_output=True,
                               env=dict(os.environ, HOME=str(self.dir), **environment))
        self.assertEqual(ended.returncode, expect, ended.stdout + ended.stderr)
        return ended

    def test_tells_each_subject_in_text_and_json(self):
        text = self.doctor().stdout
        report = json.loads(self.doctor("--json").stdout)
        subjects = [finding["subject"] for finding in report["findings"]]
        for subject in ("processors", "memory", "open files", "spill directory", "built-in jobs"):
            self.assertIn(subject, subjects)
            self.assertIn(subject, text)
        self.assertEqual(report["settings"], [])

    def test_shows_where_settings_come_from_the_strongest_first(self):
        (self.dir / "spillway.toml").write_text('memory = "512M"\nreducers = 3\n')
        text = self.doctor("--config", SPILLWAY_MEMORY="1G").stdout
        self.assertRegex(text, r"memory +1G \(from SPILLWAY_MEMORY\)")
        self.assertRegex(text, r"reducers +3 \(from ./spillway.toml:2\)")
        self.assertNotIn("512M", text)
        self.assertNotIn("processors", text)

    def test_is_told_of_bad_values_and_bad_directories(self):
        (self.dir / "spillway.toml").write_text("memry = 1\n")
        self.assertIn("./spillway.toml:1", self.doctor(expect=78).stderr)
        (self.dir / "spillway.toml").unlink()
        report = json.loads(self.doctor("--json", "--spill-dir", "nowhere", expect=1).stdout)
        bad = [finding["subject"] for finding in report["findings"] if finding["health"] == "bad"]
        self.assertEqual(bad, ["spill directory"])

    def test_names_what_building_lacks(self):
        report = json.loads(self.doctor("--json", PATH="/nonexistent").stdout)
        building = [finding for finding in report["findings"]
                    if finding["subject"] == "building jobs"][0]
        self.assertEqual(building["health"], "warning")
        self.assertIn("cmake", building["text"])


if __name__ == "__main__":
    unittest.main()
