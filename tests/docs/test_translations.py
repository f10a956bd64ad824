"""Chinese is whole: every text marked in code and templates stands in the catalogue, translated, its fields kept."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from django.utils.translation.template import templatize

HERE = Path(__file__).resolve().parents[2]
SOURCE = HERE / "src" / "uptake"
CATALOGUE = SOURCE / "web" / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
PLAIN = ("_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy")
WITH_CONTEXT = ("pgettext", "pgettext_lazy", "npgettext", "npgettext_lazy")
FIELD = re.compile(r"%%?\(\w+\)[sd]|</?\w[^>]*>")
TEXT = r"""(u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"))"""
CALL = re.compile(rf"\b(_|n?p?gettext)\(\s*{TEXT}(?:\s*,\s*{TEXT})?")
Text = tuple[str, str]
"""Context and English."""


@pytest.fixture(scope="module")
def catalogue() -> polib.POFile:
    return polib.pofile(str(CATALOGUE))


def python_files() -> Iterator[Path]:
    return (file for file in SOURCE.rglob("*.py") if not {"tests", "frontend", "migrations"} & set(file.parts))


def texts_of_code(source: str) -> Iterator[Text]:
    """What the marks of a Python file hold."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            held = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            if node.func.id in PLAIN and held:
                yield "", held[0]
            elif node.func.id in WITH_CONTEXT and len(held) > 1:
                yield held[0], held[1]


def texts_of_template(source: str) -> Iterator[Text]:
    """What the marks of a template hold."""
    for mark, first, second in CALL.findall(templatize(source)):
        words = ast.literal_eval(first)
        yield (words, ast.literal_eval(second)) if mark in WITH_CONTEXT else ("", words)


def marked() -> dict[Text, Path]:
    """Every marked text, with a file it stands in."""
    found: dict[Text, Path] = {}
    for file in python_files():
        found.update(dict.fromkeys(texts_of_code(file.read_text(encoding="utf-8")), file))
    for file in (SOURCE / "web" / "templates").rglob("*.*"):
        found.update(dict.fromkeys(texts_of_template(file.read_text(encoding="utf-8")), file))
    return found


def test_nothing_is_untranslated_or_fuzzy(catalogue: polib.POFile) -> None:
    assert not [one.msgid for one in (*catalogue.untranslated_entries(), *catalogue.fuzzy_entries())]


def test_every_marked_text_stands_in_the_catalogue(catalogue: polib.POFile) -> None:
    known = {(one.msgctxt or "", one.msgid) for one in catalogue if not one.obsolete}
    texts = marked()
    assert len(texts) > 900, "the marks were not found"
    missing = {text: str(file.relative_to(HERE)) for text, file in texts.items() if text not in known}
    assert not missing, "run makemessages and translate"


def test_fields_and_markup_are_kept(catalogue: polib.POFile) -> None:
    for one in catalogue:
        for translated in one.msgstr_plural.values() or [one.msgstr]:
            english = one.msgid_plural or one.msgid
            assert set(FIELD.findall(translated)) == set(FIELD.findall(english)), one.msgid


def test_chinese_has_one_form_whatever_the_number(catalogue: polib.POFile) -> None:
    assert catalogue.metadata["Plural-Forms"].startswith("nplurals=1;")
    assert all(list(one.msgstr_plural) == [0] for one in catalogue if one.msgid_plural)


def test_the_reader_is_called_ni_and_sentences_end_in_full_width(catalogue: polib.POFile) -> None:
    for one in catalogue:
        for translated in one.msgstr_plural.values() or [one.msgstr]:
            assert "您" not in translated, one.msgid
            assert not re.search(r"[一-鿿][,;:?!]|[一-鿿]\.(?:\s|$)", translated), f"{one.msgid}: half-width sign"


def test_marks_have_only_names_that_the_extraction_knows() -> None:
    odd = []
    for file in python_files():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation":
                odd += [f"{file.name}: {one.asname}" for one in node.names if one.asname not in (None, "_")]
    assert not odd
