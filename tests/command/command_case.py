"""What the tests of the command share: a temporary directory, running jobs, reading parts."""

import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import tempfile
import unittest

SPILLWAY = os.environ["SPILLWAY"]
TEST_PLUGINS = pathlib.Path(os.environ["TEST_PLUGINS"])
BIN_DIR = pathlib.Path(os.environ["SPILLWAY_BIN_DIR"])
SECONDS_MAX = 300


class CommandCase(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="spillway-test-"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.spill = self.dir / "spill"
        self.spill.mkdir()
        self.outputs = 0

    def write(self, name, data):
        path = self.dir / name
        path.write_bytes(data)
        return path

    def new_output(self):
        self.outputs += 1
        return self.dir / f"out{self.outputs}"

    def arguments(self, job, inputs, output, *flags, args=()):
        command = [SPILLWAY, "run", str(job)]
        for path in inputs:
            command += ["-i", str(path)]
        command += ["-o", str(output), "--spill-dir", str(self.spill), "--json", *map(str, flags)]
        return command + (["--", *args] if args else [])

    def run_job(self, job, inputs, *flags, args=(), expect=0, output=None):
        """Runs a job and checks its exit code and that nothing is left over. The result has the
        summary (a dict, or None), stderr, and the output directory."""
        output = output or self.new_output()
        command = self.arguments(job, inputs, output, *flags, args=args)
        result = subprocess.run(command, capture_output=True, timeout=SECONDS_MAX)
        result.text = result.stderr.decode(errors="replace")
        self.assertEqual(result.returncode, expect, f"{command}\n{result.text}")
        lines = result.stdout.decode(errors="replace").splitlines()
        result.summary = json.loads(lines[-1]) if lines else None
        result.output = output
        self.expect_nothing_left(output, visible=expect == 0)
        return result

    def expect_nothing_left(self, output, visible):
        left = [str(p) for p in self.spill.rglob("*") if p.is_file()]
        self.assertEqual(left, [], "scratch files were left")
        staging = list(output.parent.glob(f".{output.name}.spillway-*"))
        self.assertEqual(staging, [], "staging directories were left")
        self.assertEqual((output / "_SUCCESS").exists(), visible)

    def tree(self, output):
        """The content of all files, by their paths; each directory's manifest must describe exactly
        the files that lie in it."""
        found = {}
        for directory in [output, *(p for p in output.rglob("*") if p.is_dir())]:
            names = sorted(p.name for p in directory.iterdir() if p.is_file())
            for name in names:
                path = directory / name
                found[str(path.relative_to(output))] = path.read_bytes()
            parts = [name for name in names if name[0] != "_"]
            if not names:
                continue  # A level between.
            manifest = json.loads((directory / "_manifest.json").read_text())
            self.assertEqual([part["name"] for part in manifest["parts"]], parts)
            self.assertEqual([part["bytes"] for part in manifest["parts"]],
                             [(directory / name).stat().st_size for name in parts])
        return found

    def parts(self, output):
        """The parts' bytes in order; the manifest must describe exactly these files."""
        manifest = json.loads((output / "_manifest.json").read_text())
        names = sorted(p.name for p in output.iterdir() if p.name.startswith("part-"))
        self.assertEqual([part["name"] for part in manifest["parts"]], names)
        parts = [(output / name).read_bytes() for name in names]
        self.assertEqual([part["bytes"] for part in manifest["parts"]], [len(p) for p in parts])
        return parts


def count_words(*texts):
    """The oracle: `word TAB count` lines, sorted by bytes."""
    counts = {}
    for text in texts:
        for word in re.findall(rb"[^\x00-\x20]+", text):
            counts[word] = counts.get(word, 0) + 1
    return sorted(b"%s\t%d\n" % (word, count) for word, count in counts.items())


def random_text(seed, size, vocabulary=2000):
    """Words of a skewed distribution with the odd byte among the separators."""
    rng = random.Random(seed)
    letters = range(0x21, 0x100)
    words = [bytes(rng.choices(letters, k=rng.randint(1, 24))) for _ in range(vocabulary)]
    pieces, total = [], 0
    while total < size:
        word = words[min(int(rng.paretovariate(0.6)) - 1, vocabulary - 1)]
        piece = word + rng.choice([b" ", b"\n", b"\r\n", b"\t", b"\0", b"  "])
        pieces.append(piece)
        total += len(piece)
    return b"".join(pieces)
