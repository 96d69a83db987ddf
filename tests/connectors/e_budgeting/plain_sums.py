"""The second, simple way to add up the leaves of the real budget documents. It shares no code with the reader.

What the reader finds out is written down here per file by hand: encoding, delimiter, where the amount stands, which
character is the decimal mark.
"""

import csv
from decimal import Decimal
from itertools import pairwise

#       file                     encoding  delimiter  amount column  decimal mark
FILES = {
    "3401_1471950240.csv": ("utf-8", ",", 11, "."),
    "3401_1480397695.csv": ("utf-8", ";", 2, "."),
    "3402_1472806276.csv": ("cp1252", ",", 2, "."),
    "3402_1473841363.csv": ("utf-8", ";", 3, ","),
    "3402_1475209423.csv": ("utf-8", ",", 3, "."),
    "3402_1475312269.csv": ("utf-8", ",", 2, "."),
    "3403_1476851628.csv": ("utf-8", ",", 2, "."),
    "3403_1476948640.csv": ("utf-8", ",", 2, "."),
    "3404_1474707063.csv": ("utf-8", ",", 3, ","),
    "3471_1475924180.csv": ("utf-8", ";", 2, ","),
    "3471_1476076984.csv": ("cp1252", ",", 2, ","),
    "34_1472465980.csv": ("utf-8", ",", 5, "."),
    "34_1473838090.csv": ("utf-8", ",", 2, "."),
    "_1474251101.csv": ("utf-8", ",", 2, "."),
    "_1474523061.csv": ("utf-8", ",", 3, "."),
}


def leaf_sum(path):
    """Sum over lines with a clean code, a description and a full-width row, whose code begins no other line's code."""
    encoding, delimiter, column, mark = FILES[path.name]
    with path.open(encoding=encoding, newline="") as file:
        rows = list(csv.reader(file, delimiter=delimiter))
    if all(len(row) == 1 for row in rows):
        rows = [next(csv.reader(row, delimiter=delimiter)) for row in rows]
    start = next(n for n, row in enumerate(rows) if row[0].lower().replace(" ", "") in HEADINGS)
    width = len(rows[start])
    lines = []
    for row in rows[start + 1 :]:
        code = [part.strip() for part in row[0].strip().rstrip(".").split(".")] if row and row[0].strip() else []
        if not code or not all(part.isdigit() for part in code):
            continue
        if len(code) == 2 and code[0] in "12" and len(code[1]) == 1:  # 1.2 for 1.20: a spreadsheet ate the zero
            continue
        sound = len(row) == width and row[1].strip() and row[column].strip()
        lines.append((".".join(str(int(part)) for part in code) + ".", row[column] if sound else None))
    codes = sorted({code for code, _ in lines})
    above = {one for one, following in pairwise(codes) if following.startswith(one)}
    other = "," if mark == "." else "."
    return sum(
        (
            Decimal(amount.replace(other, "").replace(mark, "."))
            for code, amount in lines
            if amount and code not in above
        ),
        Decimal(0),
    )


HEADINGS = {"kode", "norekening", "no.rekening", "koderekening"}
