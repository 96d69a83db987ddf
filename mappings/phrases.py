"""What a clerk reads for each way a field can be wrong, in English and Indonesian.

Three tables, because pydantic tells the cause in three ways: by the type of its error, by the pattern that did
not match, and by the message of a validator of the canonical fields.
"""

from .canonical.fields import ACTIVITY_PATTERN, AGENCY_PATTERN

Phrase = tuple[str, str]
"""English, Indonesian."""

UNREADABLE: Phrase = ("the value cannot be read", "nilai tidak dapat dibaca")
REQUIRED: Phrase = ("this field is required", "wajib diisi")

_A_NUMBER: Phrase = ("a whole number is expected", "harus bilangan bulat")
_A_TEXT: Phrase = ("text is expected", "harus berupa teks")
_A_DATE: Phrase = ("a date is expected, written YYYY-MM-DD", "harus tanggal, ditulis TTTT-BB-HH")
_A_MOMENT: Phrase = (
    "a date with time and zone is expected, such as 2025-01-31T14:00:00+07:00",
    "harus tanggal dengan jam dan zona waktu, misalnya 2025-01-31T14:00:00+07:00",
)
_A_LIST: Phrase = ("a list is expected", "harus berupa daftar")
_AN_OBJECT: Phrase = ("an object with named fields is expected", "harus berupa objek dengan nama isian")
_TRUE_OR_FALSE: Phrase = ("true or false is expected", "harus true atau false")
_BAD_UNICODE: Phrase = ("the text is not valid Unicode", "teks bukan Unicode yang sah")

_NO_SUCH_DAY: Phrase = (
    "there is no such day or time in the calendar",
    "tanggal atau jam itu tidak ada dalam kalender",
)
_OUT_OF_RANGE = (
    # What the standard library's datetime says; it names limits, never the value.
    "year 0 is out of range",
    "month must be in 1..12",
    "day is out of range for month",
    "hour must be in 0..23",
    "minute must be in 0..59",
    "second must be in 0..59",
)

BY_TYPE: dict[str, Phrase] = {
    "missing": REQUIRED,
    "extra_forbidden": ("this field is not known; remove it", "isian ini tidak dikenal; hapus isian ini"),
    "int_type": _A_NUMBER,
    "int_parsing": _A_NUMBER,
    "int_parsing_size": _A_NUMBER,
    "int_from_float": _A_NUMBER,
    "string_type": _A_TEXT,
    "string_unicode": _BAD_UNICODE,
    "bool_type": _TRUE_OR_FALSE,
    "bool_parsing": _TRUE_OR_FALSE,
    "date_type": _A_DATE,
    "date_parsing": _A_DATE,
    "date_from_datetime_parsing": _A_DATE,
    "date_from_datetime_inexact": _A_DATE,
    "datetime_type": _A_MOMENT,
    "datetime_parsing": _A_MOMENT,
    "datetime_from_date_parsing": _A_MOMENT,
    "decimal_type": ("a number is expected", "harus berupa angka"),
    "tuple_type": _A_LIST,
    "list_type": _A_LIST,
    "dict_type": _AN_OBJECT,
    "model_type": _AN_OBJECT,
    "model_attributes_type": _AN_OBJECT,
    "mapping_type": _AN_OBJECT,
    "is_instance_of": UNREADABLE,
    "literal_error": ("one of {expected} is expected", "harus salah satu dari {expected}"),
    "enum": ("one of {expected} is expected", "harus salah satu dari {expected}"),
    "greater_than_equal": ("at least {ge} is expected", "paling kecil {ge}"),
    "less_than_equal": ("at most {le} is expected", "paling besar {le}"),
    "greater_than": ("more than {gt} is expected", "harus lebih besar dari {gt}"),
    "less_than": ("less than {lt} is expected", "harus lebih kecil dari {lt}"),
    "string_too_short": (
        "at least {min_length} characters are expected",
        "paling sedikit {min_length} karakter",
    ),
    "string_too_long": (
        "at most {max_length} characters are expected",
        "paling banyak {max_length} karakter",
    ),
    "too_long": ("at most {max_length} entries are expected", "paling banyak {max_length} isian"),
    "too_short": ("at least {min_length} entries are expected", "paling sedikit {min_length} isian"),
    "string_pattern_mismatch": (
        "the value does not have the form of this field",
        "nilai tidak sesuai dengan bentuk isian ini",
    ),
    "value_error": UNREADABLE,
    "assertion_error": UNREADABLE,
}

BY_PATTERN: dict[str, Phrase] = {
    AGENCY_PATTERN: (
        "an agency code of 22 characters is expected, such as 1.02.0.00.0.00.02.0000",
        "harus kode OPD 22 karakter, misalnya 1.02.0.00.0.00.02.0000",
    ),
    ACTIVITY_PATTERN: (
        "an activity code (sub kegiatan) is expected, such as 1.03.10.2.01.0029",
        "harus kode sub kegiatan, misalnya 1.03.10.2.01.0029",
    ),
    r"^[0-9]{4,12}$": (
        "a code of the national plan (kd_rup) is expected: 4 to 12 digits",
        "harus kode RUP (kd_rup): 4 sampai 12 angka",
    ),
    r"^[0-9A-Za-z][0-9A-Za-z._/-]{0,63}$": (
        "a code of at most 64 letters, digits, dots, dashes or slashes is expected",
        "harus kode paling panjang 64 huruf, angka, titik, tanda hubung atau garis miring",
    ),
}

BY_MESSAGE: dict[str, Phrase] = {
    'money is a decimal string with two decimals, such as "1250000000.00"': (
        'money is a decimal string with two decimals, such as "1250000000.00"',
        'nilai uang ditulis sebagai teks dengan dua desimal, misalnya "1250000000.00"',
    ),
    "money has at most two decimals and twenty digits before them": (
        "money has at most two decimals and twenty digits before them",
        "nilai uang paling banyak dua desimal dan dua puluh angka di depannya",
    ),
    'a quantity is a decimal string such as "12.5", at most six decimals': (
        'a quantity is a decimal string such as "12.5", at most six decimals',
        'jumlah ditulis sebagai teks desimal, misalnya "12.5", paling banyak enam desimal',
    ),
    "a date is written YYYY-MM-DD": ("a date is written YYYY-MM-DD", "tanggal ditulis TTTT-BB-HH"),
    "a time is written 2025-01-31T14:00:00+07:00, with its zone": _A_MOMENT,
    "a time carries its zone, such as +07:00": _A_MOMENT,
    **dict.fromkeys(_OUT_OF_RANGE, _NO_SUCH_DAY),
    "text holds no control characters": (
        "the text holds control characters; remove them",
        "teks memuat karakter kendali; hapus karakter itu",
    ),
    "a key holds no control or format characters": (
        "this number is part of the key and holds invisible characters; write it anew",
        "nomor ini bagian dari kunci dan memuat karakter tak terlihat; tulis ulang nomor ini",
    ),
    "a key is written in Unicode normal form C": (
        "this text is part of the key and is not in Unicode normal form C; write it anew",
        "teks ini bagian dari kunci dan tidak dalam bentuk normal Unicode C; tulis ulang teks ini",
    ),
    "a key has no blanks at its ends and no two in a row": (
        "this text is part of the key: no blanks at its ends, no two in a row",
        "teks ini bagian dari kunci: tanpa spasi di awal dan akhir, tanpa spasi ganda",
    ),
    "an account (kode rekening) has six segments, such as 5.1.02.01.01.0024": (
        "an account (kode rekening) has six segments, such as 5.1.02.01.01.0024",
        "kode rekening terdiri dari enam bagian, misalnya 5.1.02.01.01.0024",
    ),
    "an account (kode rekening) is text, such as 5.1.02.01.01.0024": (
        "an account (kode rekening) is text, such as 5.1.02.01.01.0024",
        "kode rekening berupa teks, misalnya 5.1.02.01.01.0024",
    ),
}
