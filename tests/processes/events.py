"""Budget lines as e-Budgeting posts and drops them."""

AGENCY = "1.03.0.00.0.00.01.0000"
ACCOUNT = "5.1.02.01.01.0024"
TYPE = "id.go.surabaya.budget.line.v1"


def activity(number):
    return f"1.03.10.2.01.{number:04d}"


def subject(number):
    return f"2026:{AGENCY}:{activity(number)}:{ACCOUNT}"


def budget_line(id, number=1, amount="1250000000.00", **attributes):
    """One structured event."""
    return {
        "specversion": "1.0",
        "id": id,
        "source": "/systems/e-budgeting",
        "type": TYPE,
        "data": {
            "fiscal_year": 2026,
            "agency": AGENCY,
            "activity": activity(number),
            "account": ACCOUNT,
            "amount": amount,
        },
        **attributes,
    }


def rka(*numbers, spoiled=()):
    """An export of the feed ``rka``; the amounts of ``spoiled`` are no numbers."""
    lines = ["tahun;kode_skpd;kode_sub_giat;kode_akun;rincian"]
    for number in numbers:
        amount = "belum dihitung" if number in spoiled else f"{number}.000.000,50"
        lines.append(f"2026;{AGENCY};{activity(number)};{ACCOUNT};{amount}")
    return ("\r\n".join(lines) + "\r\n").encode()
