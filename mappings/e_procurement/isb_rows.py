"""Groups of columns that several ISB feeds share, under each name that they are met with.

Officials' names, NIP and bank accounts are in the feeds and in none of these models: no receiver needs them.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from mappings.canonical import Canonical, subject_of
from mappings.canonical.fields import KeyText, RupCode, Text
from mappings.errors import FieldError
from mappings.plain_values import (
    Digits,
    Opd,
    OptionalWords,
    Words,
    Year,
    is_blank,
    read_code,
    read_digits,
    read_text,
    required,
)


class Row(BaseModel):
    """A row of a feed. Feeds gain columns from one day to the next: unknown ones are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


Institution = Annotated[KeyText, BeforeValidator(required(read_code))]
"""``kd_klpd``, the code of a ministry, agency or local government in the national registers, such as D107."""

_K = TypeVar("_K", bound=Row)


class OwnerColumns(Row):
    """Whose row it is. ``kd_satker`` is left out: it means three things and joins nothing, ``kd_satker_str`` all."""

    tahun_anggaran: Annotated[Year, Field(validation_alias=AliasChoices("tahun_anggaran", "tahun"))]
    kd_klpd: Institution
    kd_satker_str: Opd
    nama_satker: OptionalWords = None


class NonTenderCode(Row):
    """Code of a direct purchase in the national register."""

    kd_nontender: Digits


class SupplierColumns(Row):
    """The supplier (penyedia). The 16-digit tax number has three names; older rows have only the dotted one."""

    nama_penyedia: OptionalWords = None
    npwp_penyedia: OptionalWords = None
    npwp_16_penyedia: Annotated[
        OptionalWords,
        Field(validation_alias=AliasChoices("npwp_16_penyedia", "npwp16_penyedia", "npwp_penyedia_16")),
    ] = None

    @property
    def tax_number(self) -> str | None:
        """The 16-digit number where the feed has it, else the older one; never a NIK.

        A person's 16-digit number is the NIK itself (PMK 112/2022; an entity's begins with 0). No destination needs
        it, so it stays in the raw form.
        """
        numbers = (self.npwp_16_penyedia, self.npwp_penyedia)
        return next((number for number in numbers if number and not _is_nik(number)), None)


def _is_nik(number: str) -> bool:
    digits = "".join(character for character in number if character.isdigit())
    return len(digits) == 16 and not digits.startswith("0")


class PaperColumns(OwnerColumns, SupplierColumns):
    """What every paper of the Ekontrak feeds repeats of its package."""

    nama_paket: Words
    mtd_pengadaan: OptionalWords = None
    status_kontrak: OptionalWords = None
    alasan_addendum: OptionalWords = None


def read_list(value: Any) -> tuple[str, ...] | None:
    """``a;b;c`` as its parts, in their order; None when there is none."""
    text = read_text(value)
    parts = tuple(part.strip() for part in text.split(";") if part.strip()) if text else ()
    return parts or None


def read_rup_codes(value: Any) -> tuple[str, ...] | None:
    """``kd_rup``, which comes as an integer, as text, or as several joined by ``;``."""
    if is_blank(value):
        return None
    parts = value.split(";") if isinstance(value, str) else [value]
    codes = tuple(code for code in map(read_digits, parts) if code is not None)
    if any(not 4 <= len(code) <= 12 for code in codes):
        raise FieldError(
            "",
            "codes of the national plan (kd_rup) are expected: 4 to 12 digits each, several joined by ;",
            "harus kode RUP (kd_rup): 4 sampai 12 angka, beberapa kode dipisah tanda ;",
        )
    return codes or None


RupCodes = Annotated[tuple[RupCode, ...] | None, BeforeValidator(read_rup_codes)]
BudgetCodes = Annotated[tuple[Text, ...] | None, BeforeValidator(read_list)]
"""``mak``: budget lines joined by ``;``, each as the feed writes it."""


def subject_from(
    row: Mapping[str, Any], key_columns: type[_K], model: type[Canonical], key: Callable[[_K], Mapping[str, Any]]
) -> str | None:
    """The record's subject from the key columns alone, however bad the others are; None if one cannot be read."""
    try:
        fields = key(key_columns.model_validate(row))
    except ValidationError:
        return None
    return subject_of(fields[name] for name in model.KEY)
