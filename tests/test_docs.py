"""What the docs show is what the program says."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from forms.problems import LANGUAGES, catalogue, message
from tests.docs import PACKAGES, ROOT, codes_in_source, errors_page


@pytest.mark.parametrize("package", PACKAGES)
def test_every_code_has_words_in_both_languages(package: str) -> None:
    for code in codes_in_source(package):
        for language in LANGUAGES:
            assert set(message(code)[language]) == {"what", "fix"}, code
            assert all(message(code)[language].values()), code


@pytest.mark.parametrize("package", PACKAGES)
def test_no_message_is_left_over(package: str) -> None:
    used = codes_in_source(package)
    assert set(catalogue(package)) - used == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_both_languages_name_the_same_values(package: str) -> None:
    for code, entry in catalogue(package).items():
        slots = {
            language: {slot for text in entry[language].values() for slot in re.findall(r"\{(\w+)\}", text)}
            for language in LANGUAGES
        }
        assert slots["zh"] == slots["en"], code


def test_the_error_table_is_current() -> None:
    assert (ROOT / "docs" / "errors.md").read_text(encoding="utf-8") == errors_page()


def test_the_command_help_is_current() -> None:
    # In a process of its own: click keeps a command's help option as the first context that asked made it.
    asked = "import sys; from tests.docs import commands_page; sys.stdout.buffer.write(commands_page().encode())"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, timeout=120, check=True, cwd=ROOT)
    assert (ROOT / "docs" / "commands.md").read_text(encoding="utf-8") == done.stdout.decode("utf-8")


def test_links_between_the_docs_lead_somewhere() -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    for page in pages:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"
