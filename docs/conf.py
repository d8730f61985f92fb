"""The documentation site: `scripts/dev docs` builds it, warnings as errors.

Pages are plain Markdown that also reads well on GitHub. Only docs/index.md and docs/reference/api
use directives of Sphinx. Breathe takes the C++ API from what doxygen found (docs/Doxyfile).
"""

import os
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
LISTS = (ROOT / "CMakeLists.txt").read_text()

project = "Spillway"
author = "the authors of Spillway"
version = release = re.search(r"project\(spillway\s+VERSION\s+([\d.]+)", LISTS)[1]

extensions = ["myst_parser", "breathe"]
exclude_patterns = ["_build"]
myst_heading_anchors = 4  # GitHub's names for headings, so that links hold in both places.
highlight_language = "none"
primary_domain = "cpp"

breathe_projects = {"spillway": os.environ.get("SPILLWAY_DOXYGEN_XML", str(ROOT / "build/doxygen"))}
breathe_default_project = "spillway"
breathe_domain_by_extension = {"h": "cpp"}

# Pages of the checkout that are not below docs/, and what stands for them in the site.
INSIDE = {"README.md": "index.md", "CHANGELOG.md": "changelog.md",
          "CONTRIBUTING.md": "contributing.md", "docs/decisions": "decisions/0001-*.md"}
# Pages that are one of those, whole.
WHOLE = {"changelog": "CHANGELOG.md", "contributing": "CONTRIBUTING.md"}
LINK = re.compile(r"\]\((?![a-z]+:)([\w./-]+)(#[\w-]+)?\)")


def bring_inside(app, docname, source):
    """Puts pages of WHOLE in place, and turns links that lead out of docs/ to those of INSIDE."""
    pages = pathlib.Path(app.srcdir)
    folder = origin = (pages / docname).parent
    if docname in WHOLE:
        origin = ROOT
        source[0] = (ROOT / WHOLE[docname]).read_text()

    def place(match):
        target = pathlib.Path(os.path.normpath(origin / match[1]))
        name = str(target.relative_to(ROOT))
        if name in INSIDE:
            target = next(pages.glob(INSIDE[name]))
        return f"]({os.path.relpath(target, folder)}{match[2] or ''})"

    source[0] = LINK.sub(place, source[0])


def setup(app):
    app.connect("source-read", bring_inside)


html_theme = "furo"
html_title = f"Spillway {release}"
html_copy_source = False
html_show_copyright = False
html_static_path = []
