"""The source files of the checkout, and their code without comments and literals."""

import pathlib
import re

TOP_FOLDERS = ("mapreduce", "shuffle", "runtime", "examples", "tests", "bench", "scripts")

_NOT_CODE = re.compile(
    r"""//[^\n]*
      | /\*.*?\*/
      | R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"
      | "(?:\\.|[^"\\\n])*"
      | '(?:\\[^'\n]+|[^'\\\n])'""",
    re.DOTALL | re.VERBOSE,
)


def files(root, *suffixes):
    """Paths under the source folders that end with one of `suffixes`, relative to root, sorted."""
    root = pathlib.Path(root)
    return sorted(
        path.relative_to(root)
        for top in TOP_FOLDERS
        for path in (root / top).rglob("*")
        if path.is_file() and path.name.endswith(suffixes)
    )


def code_of(text):
    """`text` with comments and literals emptied; line numbers stay."""

    def blank(match):
        kept = '""' if match.group().startswith(('"', "R")) else " "
        return kept + "\n" * match.group().count("\n")

    return _NOT_CODE.sub(blank, text)
