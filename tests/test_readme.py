"""README and docs are true: what they show as Python runs, their table is the code's, their links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Roots
from tiffin.model.verbs import ROWS

CHECKOUT = Path(__file__).resolve().parent.parent
PAGES = ["README.md", "CHANGELOG.md", *sorted(f"docs/{path.name}" for path in CHECKOUT.glob("docs/*.md"))]


@pytest.mark.root
def test_the_examples_in_the_readme_print_what_they_say(engine_root: Roots, tmp_path: Path):
    blocks = re.findall(r"^```python\n(.*?)^```$", (CHECKOUT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    program = "\n".join(blocks)
    expected = re.findall(r"^ *print\(.*\)  # (.*)$", program, re.MULTILINE)
    environment = {**engine_root.environment, "PYTHONPATH": str(CHECKOUT / "src")}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout.splitlines() == expected, done.stderr
    assert done.returncode == 0, done.stderr
    assert expected


def test_the_table_of_verbs_in_the_docs_is_the_models():
    rows = [f"| `{row.name}` | {', '.join(row.takes)} | {', '.join(row.gives)} | {row.sentence} |" for row in ROWS]
    table = "\n".join(["| verb | from | to | |", "|---|---|---|---|", *rows])
    assert table in (CHECKOUT / "docs/index.md").read_text(), f"put this table there:\n{table}"


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_that_exist(page: str):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", (CHECKOUT / page).read_text())
    assert [link for link in links if not (CHECKOUT / page).parent.joinpath(link).exists()] == []
