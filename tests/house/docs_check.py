#!/usr/bin/env python3
"""Runs the code blocks of the documents, and checks their links and translations.

docs_check.py --run BUILD_DIR [ROOT [PATTERN...]]
docs_check.py --links [ROOT]     docs_check.py --translations [ROOT]

Blocks of one document run in order, in one fresh directory, with BUILD_DIR/bin on PATH; a pattern
is a document as in docs/tutorials/*.md:
- sh and bash blocks are run by bash and must succeed;
- `text output` blocks are what the sh block before them must have written to stdout;
- cpp blocks that define a plugin must compile; the block's first line names its file, as in
  `// word_count.cc`, and the plugin is left beside it as word_count.so.
Blocks of another language, or with `illustration` behind the language, are for the eye only.

A translation, docs/ko/NAME, has the blocks, the levels of headings and the links of its original,
docs/NAME or NAME in the root.
"""

import dataclasses
import os
import pathlib
import re
import subprocess
import sys
import tempfile

DOCUMENTS = ("*.md", "docs/**/*.md")
LANGUAGES = ("ko",)
BLOCK_SECONDS_MAX = 300  # Some build a project with its tests, on a machine that is busy.
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

    @property
    def is_output(self):
        return self.info.split() == ["text", "output"]


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


def levels_of(text):
    """The number signs of each heading."""
    return re.findall(r"^#+(?= )", prose_of(text), re.MULTILINE)


def documents(root, patterns=DOCUMENTS):
    return sorted({path for pattern in patterns for path in pathlib.Path(root).glob(pattern)})


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


def links_of(document):
    """What a document links to, without the headings. A translation counts as its original."""
    links = set()
    for match in LINK.finditer(prose_of(document.read_text())):
        target = match["target"].partition("#")[0]
        if re.match(r"[a-z]+:", target):
            links.add(match["target"])
        elif target:
            place = pathlib.Path(os.path.normpath(document.parent / target))
            links.add(str(original_of(place) or place))
    return links


def original_of(document):
    """What the document is a translation of; None for an original."""
    folder = document.parent
    if folder.parent.name != "docs" or folder.name not in LANGUAGES:
        return None
    for original in (folder.parent / document.name, folder.parent.parent / document.name):
        if original.exists():
            return original
    return folder.parent / document.name


def check_translations(root):
    """What of a translation is not as in its original, as path:line: what."""
    problems = []
    for translation in documents(root, [f"docs/{language}/*.md" for language in LANGUAGES]):
        original, name = original_of(translation), translation.relative_to(root)
        if not original.exists():
            problems.append(f"{name}:1: there is no {original.relative_to(root)}")
            continue
        texts = [path.read_text() for path in (original, translation)]
        old, new = (blocks_of(text) for text in texts)
        for i, block in enumerate(new):
            if i >= len(old) or (block.info, block.text) != (old[i].info, old[i].text):
                problems.append(f"{name}:{block.line}: not the block {i + 1} of the original")
        if len(new) < len(old):
            problems.append(f"{name}:1: {len(old) - len(new)} blocks are missing")
        if levels_of(texts[0]) != levels_of(texts[1]):
            problems.append(f"{name}:1: the headings are not those of the original")
        for link in sorted(links_of(original) ^ links_of(translation)):
            problems.append(f"{name}:1: only one of the two links to {link}")
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


def run_block(block, directory, root, environment):
    """Runs one block; (what it wrote to stdout, None or what went wrong)."""
    command = compiler(block, directory, root) if block.language == "cpp" else shell(block)
    try:
        ended = subprocess.run(
            command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=BLOCK_SECONDS_MAX, check=False)
    except subprocess.TimeoutExpired:
        return "", f"{block.text}--- not done after {BLOCK_SECONDS_MAX} seconds"
    if ended.returncode == 0:
        return ended.stdout, None
    said = f"{block.text}--- exit {ended.returncode}:\n{ended.stdout}{ended.stderr}"
    return ended.stdout, said


def run_document(document, root, build):
    """Runs the document's blocks; yields (line, what went wrong) for each that fails."""
    environment = dict(os.environ, NO_COLOR="1", LC_ALL="C.UTF-8")
    environment["PATH"] = f"{build / 'bin'}:{environment['PATH']}"
    environment["PKG_CONFIG_PATH"] = str(build / "share/pkgconfig")
    environment["SPILLWAY_SOURCE"] = str(root)
    with tempfile.TemporaryDirectory(prefix="spillway-docs-") as directory:
        environment["HOME"] = directory
        written = ""
        for block in blocks_of(document.read_text()):
            problem = None
            if block.is_output and written != block.text:
                problem = f"the page says:\n{block.text}--- it is:\n{written}"
            elif block.runs:
                written, problem = run_block(block, directory, root, environment)
            elif not block.is_output:
                continue
            print(f"{document.relative_to(root)}:{block.line}: {block.info}: ", end="")
            print("ok" if problem is None else "FAILED", flush=True)
            if problem is not None:
                yield block.line, problem


CHECKS = {"--links": check_links, "--translations": check_translations}


def main(arguments):
    mode = arguments[0] if arguments else ""
    if mode in CHECKS:
        root = pathlib.Path(arguments[1] if len(arguments) > 1 else ".").resolve()
        problems = CHECKS[mode](root)
        print("\n".join(problems) or f"{mode[2:]}: ok")
        return 1 if problems else 0
    if mode == "--run" and len(arguments) > 1:
        build = pathlib.Path(arguments[1]).resolve()
        root = pathlib.Path(arguments[2] if len(arguments) > 2 else ".").resolve()
        failed = False
        for document in documents(root, arguments[3:] or DOCUMENTS):
            for line, output in run_document(document, root, build):
                failed = True
                print(f"{document.relative_to(root)}:{line}:\n{output}", file=sys.stderr)
        return 1 if failed else 0
    print(__doc__, file=sys.stderr)
    return 64


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
