"""Commands that the documents print exist in the Makefile and on the command line."""

import re

import pytest
import typer

from bus.entrypoints.cli.app import build

from .pages import ROOT, all_pages, blocks, read

COMMAND = re.compile(r"\barus ((?:[a-z]+)(?: [a-z]+)?)")


def _verbs():
    return typer.main.get_command(build())


def _exists(words):
    command = _verbs()
    for word in words:
        children = getattr(command, "commands", {})
        if word not in children:
            return bool(children) is False  # what follows a verb is its argument
        command = children[word]
    return True


def _printed():
    """Commands in code."""
    for page in all_pages():
        text = page.read_text(encoding="utf-8")
        code = "\n".join(
            [*re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL), *re.findall(r"`(arus [^`]+)`", text)]
        )
        for words in COMMAND.findall(code):
            yield page.relative_to(ROOT).as_posix(), words


@pytest.mark.parametrize(("page", "words"), sorted(set(_printed())))
def test_a_printed_verb_exists(page, words):
    assert _exists(words.split())


def test_printed_make_targets_exist():
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))
    for page in ("README.md", "CONTRIBUTING.md"):
        printed = set(re.findall(r"\bmake ([a-z]+)", "\n".join(blocks(page, "sh")))) | set(
            re.findall(r"`make ([a-z]+)", read(page))
        )
        assert printed
        assert printed <= targets, page


def test_the_first_thing_in_the_readme_are_the_two_commands():
    first = blocks("README.md", "sh")[0]
    assert re.findall(r"^make (\w+)", first, re.MULTILINE) == ["demo", "test"]
    assert read("README.md").index(first) < 40
