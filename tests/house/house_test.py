"""The checks of the house find what they are for: planted violations, and nothing else."""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

import docs_check
import hardening_check
import kill_points_check
import layers_check
import reliability_check
import site_check
import sources
import style_check


class Tree:
    """A temporary checkout with the files it is given."""

    def __init__(self):
        self._directory = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self._directory.name)

    def write(self, path, text):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return self

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self._directory.cleanup()


class LayersTest(unittest.TestCase):
    def problems(self, path, text):
        with Tree() as tree:
            return layers_check.check(tree.write(path, text).root)

    def assert_found(self, path, text, message):
        found = self.problems(path, text)
        self.assertEqual(len(found), 1, found)
        self.assertIn(message, found[0])
        self.assertTrue(found[0].startswith(f"{path}:"), found)

    def test_includes_that_run_down_are_fine(self):
        for path, target in (
            ("mapreduce/builtin/folds.h", "mapreduce/base/hash.h"),
            ("mapreduce/job.h", "mapreduce/builtin/folds.h"),
            ("shuffle/engine/a.cc", "shuffle/record/record.h"),
            ("shuffle/merge/a.cc", "mapreduce/base/status.h"),
            ("runtime/cli/main.cc", "runtime/local/local_runner.h"),
            ("runtime/worker/a.cc", "runtime/protocol/messages.h"),
            ("examples/grep/grep.cc", "mapreduce/job.h"),
            ("tests/runtime/core/a_test.cc", "shuffle/engine/a.h"),
        ):
            self.assertEqual(self.problems(path, f'#include "{target}"\n'), [], path)

    def test_includes_that_run_up_or_across_are_found(self):
        for path, target in (
            ("mapreduce/base/a.h", "mapreduce/abi.h"),
            ("mapreduce/job.h", "shuffle/record/record.h"),
            ("shuffle/record/a.h", "shuffle/store/segment_store.h"),
            ("shuffle/sort/a.h", "shuffle/format/segment_writer.h"),
            ("shuffle/merge/a.h", "shuffle/engine/collector.h"),
            ("shuffle/engine/a.h", "runtime/storage/scratch.h"),
            ("runtime/core/a.h", "shuffle/record/record.h"),
            ("runtime/core/a.h", "mapreduce/abi.h"),
            ("runtime/task/a.h", "runtime/local/local_runner.h"),
            ("runtime/worker/a.cc", "runtime/coordinator/a.h"),
            ("runtime/coordinator/a.cc", "runtime/worker/a.h"),
            ("examples/wordcount.cc", "shuffle/record/record.h"),
        ):
            self.assert_found(path, f'\n#include "{target}"\n', "may not include")

    def test_unknown_folders_need_a_place(self):
        self.assert_found("runtime/magic/a.h", "", "no place")
        self.assert_found("runtime/cli/a.h", '#include "runtime/magic/a.h"\n', "no place")

    def test_source_files_outside_the_layers_are_not_for_inclusion(self):
        self.assert_found("runtime/cli/a.cc", '#include "tests/a.h"\n', "may not include")

    def test_libraries_stay_with_their_owner(self):
        self.assert_found("runtime/worker/a.cc", "#include <zmq.hpp>\n", "runtime/transport")
        self.assertEqual(self.problems("runtime/transport/a.cc", "#include <zmq.hpp>\n"), [])

    def test_impure_includes_are_found_in_pure_folders_only(self):
        for header in ("chrono", "thread", "mutex", "fstream", "fcntl.h", "sys/socket.h"):
            text = f"#include <{header}>\n"
            for folder in layers_check.PURE:
                self.assert_found(f"{folder}/a.cc", text, "pure")
            self.assertEqual(self.problems("runtime/storage/a.cc", text), [])

    def test_impure_code_is_found(self):
        for code, what in (
            ("auto t = std::chrono::steady_clock::now();", "clock"),
            ("auto t = time(nullptr);", "clock"),
            ("std::this_thread::yield();", "thread"),
            ("std::mutex m;", "thread"),
            ('int fd = ::open("x", 0);', "file"),
            ('int fd = open("x", 0);', "file"),
            ('FILE* f = std::fopen("x", "r");', "file"),
            ("int s = socket(AF_INET, SOCK_STREAM, 0);", "socket"),
            ("std::mt19937 r(std::random_device{}());", "random"),
            ("int r = rand();", "random"),
            ('getenv("HOME");', "environment"),
        ):
            self.assert_found("runtime/core/a.cc", f"void F() {{\n  {code}\n}}\n", what)

    def test_look_alikes_comments_and_literals_are_not_code(self):
        text = (
            "// open(2) and std::mutex are for others; time(nullptr) too\n"
            "/* rand() */ const char* s = \"socket(1)\"; const int n = 10'000'000;\n"
            "auto f = file_system.open(path); bool is_open(int); std::mt19937 r(seed);\n"
            "int operand(int); strand (1); lease.time(0 + 1); const char quote = '\"';\n"
        )
        self.assertEqual(self.problems("runtime/core/a.cc", text), [])


class SourcesTest(unittest.TestCase):
    def test_code_keeps_its_lines(self):
        text = 'int a; /* x\ny */ int b; // c\nauto s = R"t(\n")t"; int d;\n'
        self.assertEqual(sources.code_of(text), 'int a;  \n int b;  \nauto s = ""\n; int d;\n')


class StyleTest(unittest.TestCase):
    GOOD = "// What it is. One thread.\n#pragma once\n"

    def problems(self, path, text):
        with Tree() as tree:
            return style_check.check(tree.write(path, text).root)

    def assert_found(self, path, text, message):
        found = self.problems(path, text)
        self.assertEqual(len(found), 1, found)
        self.assertIn(message, found[0])

    def test_a_plain_header_is_fine(self):
        self.assertEqual(self.problems("shuffle/merge/loser_tree.h", self.GOOD), [])
        self.assertEqual(self.problems("shuffle/a.cc", "é" * 100 + "\n"), [])

    def test_violations_are_found(self):
        self.assert_found("shuffle/a.cc", "x" * 101 + "\n", "columns")
        self.assert_found("shuffle/a.cc", "int a; \n", "white space")
        self.assert_found("shuffle/a.h", self.GOOD + "\n" * 300, "lines in a header")
        self.assert_found("shuffle/a.h", "#pragma once\n", "begins with a comment")
        self.assert_found("shuffle/a.h", "// What it is.\n", "pragma once")
        self.assert_found("shuffle/LoserTree.cc", "", "snake_case")
        for name in ("string_utils.cc", "helpers.cc", "common.cc", "test_helper.py"):
            self.assert_found(f"tests/{name}", "", "says nothing")


class DocsTest(unittest.TestCase):
    def test_blocks_carry_their_language_line_and_text(self):
        text = "a\n```sh\necho 1\necho 2\n```\nb\n```\nplain\n```\n````cpp\n```\n````\n"
        self.assertEqual(
            [(b.info, b.line, b.text) for b in docs_check.blocks_of(text)],
            [("sh", 2, "echo 1\necho 2\n"), ("", 7, "plain\n"), ("cpp", 10, "```\n")],
        )

    def test_an_open_block_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "line 1"):
            docs_check.blocks_of("```sh\necho\n")

    def test_only_shell_and_plugins_run_unless_marked(self):
        def runs(info):
            return docs_check.Block(info, 1, "").runs

        self.assertTrue(runs("sh") and runs("bash") and runs("cpp"))
        self.assertFalse(runs("text") or runs("console") or runs("") or runs("sh illustration"))

    def test_broken_links_are_found(self):
        with Tree() as tree:
            tree.write("docs/a.md", "# A title, with `code`\n").write(
                "README.md",
                "[ok](docs/a.md) [ok](docs/a.md#a-title-with-code) [web](https://example.com/x)\n"
                "[gone](docs/b.md) [astray](docs/a.md#nowhere)\n```text\n[x](y.md)\n```\n",
            )
            found = docs_check.check_links(tree.root)
        self.assertEqual(len(found), 2, found)
        self.assertIn("README.md:2: docs/b.md", found[0])
        self.assertIn("README.md:2: docs/a.md#nowhere", found[1])

    def test_outputs_that_are_not_those_of_the_page_are_found(self):
        page = "```sh\necho a\n```\n```text output\n%s\n```\n"
        for said, found in (("a", 0), ("b", 1)):
            with Tree() as tree:
                document = tree.write("README.md", page % said).root / "README.md"
                problems = list(docs_check.run_document(document, tree.root, tree.root))
            self.assertEqual(len(problems), found, problems)

    def test_a_translation_that_fell_behind_is_found(self):
        original = "# A\n[b](docs/b.md)\n```sh\necho 1\n```\n## B\n"
        for translated, message in (
            ("# 가\n[나](../b.md)\n```sh\necho 1\n```\n## 나\n", None),
            ("# 가\n[나](../b.md)\n```sh\necho 2\n```\n## 나\n", "not the block 1"),
            ("# 가\n[나](../b.md)\n## 나\n", "1 blocks are missing"),
            ("# 가\n[나](../b.md)\n```sh\necho 1\n```\n", "headings"),
            ("# 가\n```sh\necho 1\n```\n## 나\n", "only one of the two links"),
        ):
            with Tree() as tree:
                tree.write("README.md", original).write("docs/b.md", "").write(
                    "docs/ko/README.md", translated)
                found = docs_check.check_translations(tree.root)
            self.assertEqual(len(found), 0 if message is None else 1, found)
            self.assertIn(message or "", "".join(found))

    def test_a_translation_without_an_original_is_found(self):
        with Tree() as tree:
            found = docs_check.check_translations(tree.write("docs/ko/a.md", "").root)
        self.assertEqual(len(found), 1, found)
        self.assertIn("there is no docs/a.md", found[0])


class SiteTest(unittest.TestCase):
    def test_headers_that_no_page_shows_are_found(self):
        page = "# A\n```{doxygenfile} mapreduce/a.h\n```\n```{doxygenfile} mapreduce/gone.h\n```\n"
        with Tree() as tree:
            tree.write("mapreduce/a.h", "").write("mapreduce/builtin/b.h", "").write(
                "mapreduce/adapter/c.h", "").write("docs/reference/api/a.md", page)
            self.assertEqual(site_check.headers_not_shown(tree.root),
                             (["mapreduce/builtin/b.h"], ["mapreduce/gone.h"]))


class HardeningTest(unittest.TestCase):
    SOURCE = ("#include <string.h>\n"
              "int main(int n, char** v) { char t[9]; strcpy(t, v[0]); return t[n]; }\n")
    WEAK = ["-no-pie", "-fno-stack-protector", "-U_FORTIFY_SOURCE", "-Wl,-z,norelro,-z,lazy",
            "-Wl,-z,execstack", "-Wl,-rpath,/elsewhere"]
    STRONG = ["-pie", "-fPIE", "-fstack-protector-strong", "-D_FORTIFY_SOURCE=2",
              "-Wl,-z,relro,-z,now"]

    def problems(self, flags):
        with Tree() as tree:
            tree.write("a.c", self.SOURCE)
            program = tree.root / "a"
            subprocess.run(["gcc", "-O2", *flags, tree.root / "a.c", "-o", program], check=True)
            return hardening_check.problems_of(program, True)

    @unittest.skipIf(shutil.which("readelf") is None, "readelf is not installed")
    def test_only_weak_programs_are_found(self):
        self.assertEqual(self.problems(self.STRONG), [])
        found = "\n".join(self.problems(self.WEAK))
        for word in ("position independent", "stay writable", "as it goes", "executable stack",
                     "RUNPATH", "stack protector", "checked functions"):
            self.assertIn(word, found)


class ReliabilityTest(unittest.TestCase):
    def test_only_what_is_not_there_is_found(self):
        with Tree() as tree:
            tree.write("tests/a/b_test.cc", "TEST_F(Suite,\n       Holds) {\n").write(
                "tests/cluster/c_test.py", "    def test_holds(self):\n").write(
                "docs/reliability.md",
                "## 1. One\n`Suite.Holds` `cluster/c_test.test_holds` `tests/a/` `--flag` `fsync`\n"
                "## 2. Two\n`Suite.Gone` `Other.Holds`\n`cluster/c_test.test_gone`\n"
                "## 3. Three\n`tests/a/gone.h`\n## Not proven\nThe rest.\n")
            found = reliability_check.check(tree.root)
        page = "docs/reliability.md"
        self.assertEqual(found, [
            f"{page}:4: there is no Suite.Gone", f"{page}:4: there is no Other.Holds",
            f"{page}:5: there is no cluster/c_test.test_gone",
            f"{page}:7: there is no tests/a/gone.h", f"{page}:6: no test of '3. Three'"])

    def test_fuzzers_and_planted_bugs_that_it_does_not_tell_of_are_found(self):
        with Tree() as tree:
            tree.write("tests/fuzz/one_fuzz.cc", "").write("tests/fuzz/two_fuzz.cc", "").write(
                "tests/sim/planted_bugs.py",
                'BUGS = [\n    Bug("told", "a.cc"),\n    Bug(\n        "kept back", "b.cc")]\n')
            found = reliability_check.missing_from("| 7 | told |\n`tests/fuzz/one_fuzz.cc`\n",
                                                   tree.root)
        page = "docs/reliability.md"
        self.assertEqual(found, [f"{page}:1: `tests/fuzz/two_fuzz.cc` is not on the page",
                                 f"{page}:1: the planted bug 'kept back' is not on the page"])


class KillPointsTest(unittest.TestCase):
    def test_points_without_a_death_and_deaths_without_a_point_are_found(self):
        with Tree() as tree:
            tree.write("shuffle/a.cc", 'KillPoint("one");\nKillPoint("two");\n').write(
                "runtime/b.cc", 'KillPoint("one");\n').write(
                "tests/chaos/kill_points.py",
                "POINTS = {'one': ('job', (1,), ('run',)), 'gone': ('job', (), ('run',))}\n")
            found = kill_points_check.check(tree.root)
        table = "tests/chaos/kill_points.py"
        self.assertEqual(found, [
            "shuffle/a.cc:1: there is a kill point 'one' at runtime/b.cc:1 already",
            f"shuffle/a.cc:2: nobody dies at the kill point 'two': add it to {table}",
            f"{table}:1: no source has the kill point 'gone'",
            f"{table}:1: nobody dies at 'gone'"])


if __name__ == "__main__":
    unittest.main()
