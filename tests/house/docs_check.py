#!/usr/bin/env python3
"""Runs the code blocks of the documents, and checks their links.

docs_check.py --run BUILD_DIR [ROOT]     docs_check.py --links [ROOT]

Blocks of one document run in order, in one fresh directory, with BUILD_DIR/bin on PATH:
- sh and bash blocks are run by bash and must succeed;
- cpp blocks that define a plugin must compile; the block's first line names its file, as in
  `// word_count.cc`, and the plugin is left beside it as word_count.so.
Blocks of another language, or with `illustration` behind the language, are for the eye only.
"""

import dataclasses
import os
import pathlib
import re
import subprocess
import sys
import tempfile

DOCUMENTS = ("*.md", "docs/**/*.md")
BLOCK_SECONDS_MAX = 120
FENCE = re.compile(r"^(?P<ticks>```+)[ \t]*(?P<info>[^`\n]*)$")
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\((?P<target>[^)\s]+)\)")


@dataclasses.dataclass
class Block:
    info: str
    line: int
    text: str

    @property
    def language(self):
        return self.info.split()[0] if self.info.split() else ""

    @property
    def runs(self):
        return self.language in ("sh", "bash", "cpp") and "illustration" not in self.info.split()


def blocks_of(text):
    """The fenced blocks of a document. ValueError for one that does not end."""
    blocks, current, ticks = [], None, ""
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if current is None:
            if fence:
                current, ticks = Block(fence["info"].strip(), number, ""), fence["ticks"]
        elif fence and not fence["info"] and len(fence["ticks"]) >= len(ticks):
            blocks.append(current)
            current = None
        else:
            current.text += line + "\n"
    if current is not None:
        raise ValueError(f"the block of line {current.line} has no end")
    return blocks


def prose_of(text):
    """The document without its fenced blocks; line numbers stay."""
    lines = text.splitlines()
    for block in blocks_of(text):
        for number in range(block.line - 1, block.line + 1 + block.text.count("\n")):
            lines[number] = ""
    return "\n".join(lines)


def anchors_of(text):
    """The names that GitHub gives to the headings."""
    headings = re.findall(r"^#+[ \t]+(.+?)[ \t]*$", prose_of(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def documents(root):
    return sorted({path for pattern in DOCUMENTS for path in pathlib.Path(root).glob(pattern)})


def check_links(root):
    """Links to files and headings of the checkout that lead nowhere, as path:line: target."""
    problems = []
    for document in documents(root):
        text = prose_of(document.read_text())
        for match in LINK.finditer(text):
            target, _, anchor = match["target"].partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            place = document if not target else document.parent / target
            found = place.exists()
            if found and anchor and place.suffix == ".md":
                found = anchor in anchors_of(place.read_text())
            if not found:
                line = text.count("\n", 0, match.start()) + 1
                problems.append(f"{document.relative_to(root)}:{line}: {match['target']}")
    return problems


def shell(block):
    return ["bash", "-euo", "pipefail", "-c", block.text]


def compiler(block, directory, root):
    name = re.match(r"// (\w+)\.cc\b", block.text)
    if name is None:
        raise ValueError("a cpp block begins with the name of its file: // word_count.cc")
    source = pathlib.Path(directory) / f"{name[1]}.cc"
    source.write_text(block.text)
    flags = "-std=c++20 -O1 -fPIC -shared -fvisibility=hidden -Wall -Wextra -Werror"
    return [os.environ.get("CXX", "c++"), *flags.split(), f"-I{root}", str(source), "-o",
            str(source.with_suffix(".so"))]


def run_document(document, root, build):
    """Runs the document's blocks; yields (line, output) for each that fails."""
    environment = dict(os.environ, NO_COLOR="1", LC_ALL="C.UTF-8")
    environment["PATH"] = f"{build / 'bin'}:{environment['PATH']}"
    environment["SPILLWAY_SOURCE"] = str(root)
    with tempfile.TemporaryDirectory(prefix="spillway-docs-") as directory:
        environment["HOME"] = directory
        for block in blocks_of(document.read_text()):
            if not block.runs:
                continue
            if block.language == "cpp":
                command = compiler(block, directory, root)
            else:
                command = shell(block)
            ended = subprocess.run(
                command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=BLOCK_SECONDS_MAX,
                check=False)
            print(f"{document.relative_to(root)}:{block.line}: {block.info}: ", end="")
            print("ok" if ended.returncode == 0 else "FAILED")
            if ended.returncode != 0:
                yield block.line, f"{block.text}--- exit {ended.returncode}:\n{ended.stdout}"


def main(arguments):
    mode = arguments[0] if arguments else ""
    if mode == "--links":
        root = pathlib.Path(arguments[1] if len(arguments) > 1 else ".").resolve()
        problems = check_links(root)
        print("\n".join(problems) or "links: ok")
        return 1 if problems else 0
    if mode == "--run" and len(arguments) > 1:
        build = pathlib.Path(arguments[1]).resolve()
        root = pathlib.Path(arguments[2] if len(arguments) > 2 else ".").resolve()
        failed = False
        for document in documents(root):
            for line, output in run_document(document, root, build):
                failed = True
                print(f"{document.relative_to(root)}:{line}:\n{output}", file=sys.stderr)
        return 1 if failed else 0
    print(__doc__, file=sys.stderr)
    return 64


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
