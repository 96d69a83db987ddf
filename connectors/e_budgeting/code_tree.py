"""Codes of the older chart (Permendagri 13/2006) as integers, and which of them lie above others."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SEGMENTS = re.compile(r"\d{1,5}(\s*\.\s*\d{1,5})*(\s*\.)?", re.ASCII)
_BLANK_INSIDE = re.compile(r"\d\s+\d")
_LOST_ZERO = re.compile(r"[12]\.[1-9]", re.ASCII)


class CodeUnread(ValueError):
    """A code cell that is no code; both texts leave its content out."""

    def __init__(self, english: str, indonesian: str) -> None:
        super().__init__(english)
        self.english, self.indonesian = english, indonesian


def code_segments(printed: str) -> tuple[int, ...]:
    """``1.03 . 1.03.01 . 00.00 . 5.1.`` as integers: blanks around the dots and a dot at the end mean nothing.

    An empty cell gives no segments (a total line). Raises CodeUnread. A field of government (*urusan*) has two
    digits after its dot; ``1.2`` is what a spreadsheet leaves of ``1.20``, and could be ``1.02`` as well.
    """
    text = printed.strip()
    if not text:
        return ()
    if _BLANK_INSIDE.search(text) and not re.search(r"[^\d.\s]", text):
        raise CodeUnread(
            "two digits of the code are divided by a blank where a dot is missing: write the dot",
            "dua angka pada kode dipisah spasi padahal titiknya hilang: tulis titiknya",
        )
    if not _SEGMENTS.fullmatch(text):
        raise CodeUnread(
            "the code holds something else than numbers divided by dots: text belongs in the description",
            "kode memuat selain angka yang dipisah titik: teks ditulis di kolom uraian",
        )
    if _LOST_ZERO.fullmatch(text.rstrip(". ")):
        raise CodeUnread(
            "a spreadsheet dropped a zero of the code (1.2 may be 1.02 or 1.20): write the code as text",
            "lembar kerja menghapus angka nol pada kode (1.2 dapat berarti 1.02 atau 1.20): tulis kode sebagai teks",
        )
    segments = tuple(int(segment) for segment in re.findall(r"\d+", text))
    if len(segments) > 20:
        raise CodeUnread("the code has more than 20 segments", "kode lebih dari 20 segmen")
    return segments


def branches(codes: Iterable[tuple[int, ...]]) -> set[tuple[int, ...]]:
    """Every code, present or not, under which one of the codes lies: a line whose code is among them is no leaf."""
    return {code[:length] for code in codes for length in range(1, len(code))}
