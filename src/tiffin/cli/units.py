"""Sizes, durations and moments, as Docker's command line writes and reads them.

Written: sizes by the thousand with three digits ("1.24MB"), durations in one rough word ("About an hour").
Read: memory by 1024 ("512m", "1.5g"), CPUs as decimals, moments as RFC 3339, seconds since 1970, or a time ago ("10m").
What cannot be read raises ValueError with a reason.
"""

from __future__ import annotations

DECIMAL = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
BINARY_LETTERS = "bkmgtp"
SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def size(number: float) -> str:
    """Bytes for a reader: three digits and a decimal unit, as in "1.24MB"."""
    for unit in DECIMAL[:-1]:
        # 999.6 would be written 1e+03 with three digits
        if number < 999.5:
            return f"{number:.3g}{unit}"
        number /= 1000
    return f"{number:.3g}{DECIMAL[-1]}"


def duration(seconds: float) -> str:
    """How long, in one rough word. The steps are Docker's."""
    if seconds < 1:
        return "Less than a second"
    if seconds < 60:
        return "1 second" if seconds < 2 else f"{int(seconds)} seconds"
    if seconds < 3600:
        return "About a minute" if seconds < 120 else f"{int(seconds / 60)} minutes"
    hours = int(seconds / 3600 + 0.5)
    if hours < 48:
        return "About an hour" if hours == 1 else f"{hours} hours"
    days = hours // 24
    if days < 14:
        return f"{days} days"
    if days < 60:
        return f"{days // 7} weeks"
    if days < 730:
        return f"{days // 30} months"
    return f"{days // 365} years"


def ago(moment: float, now: float) -> str:
    return duration(max(0.0, now - moment)) + " ago"


def read_binary_size(word: str) -> int:
    """ "1.5g" -> 1610612736: units of 1024, as for memory."""
    return _read_size(word, 1024)


def read_decimal_size(word: str) -> int:
    """ "10m" -> 10000000: units of 1000, as for log files."""
    return _read_size(word, 1000)


def read_cpus(word: str) -> int:
    """ "1.5" -> 1500000000: billionths of a CPU."""
    whole, _, fraction = word.partition(".")
    if not (whole + fraction).isdecimal():
        raise ValueError("not a number of CPUs, like 1.5")
    if len(fraction.rstrip("0")) > 9:
        raise ValueError("value is too precise")
    return int(whole or "0") * 10**9 + int((fraction + "000000000")[:9])


def read_duration(word: str) -> float:
    """ "1h30m" or "90s" -> seconds. The units are those of Go."""
    rest, total = word.removeprefix("-"), 0.0
    if not rest:
        raise ValueError("no duration")
    while rest:
        digits = len(rest) - len(rest.lstrip("0123456789."))
        letters = len(rest) - digits - len(rest[digits:].lstrip("hmnsuµ"))
        unit = rest[digits : digits + letters]
        if not rest[:digits].replace(".", "", 1).isdecimal() or unit not in SECONDS:
            raise ValueError("not a duration, like 1h30m or 90s")
        total += float(rest[:digits]) * SECONDS[unit]
        rest = rest[digits + letters :]
    return -total if word.startswith("-") else total


def read_moment(word: str, now: float) -> float:
    """Seconds since 1970: RFC 3339 (or its beginning, in local time), seconds, or a duration before `now`."""
    try:
        return float(word) if word.replace(".", "", 1).isdecimal() else now - read_duration(word)
    except ValueError:
        pass
    from datetime import datetime  # costs 2 ms

    try:
        return datetime.fromisoformat(_six_digits(word)).timestamp()
    except ValueError:
        raise ValueError("not a time, like 2026-01-31T12:00:00Z, nor a time ago, like 10m") from None


def rfc3339(nanoseconds: int, *, fraction: bool = True) -> str:
    """A moment in local time: as `events` writes it, with nine digits of a second, or as `history`, without."""
    import time

    seconds, rest = divmod(nanoseconds, 10**9)
    moment = time.localtime(seconds)
    zone = time.strftime("%z", moment)
    digits = f".{rest:09d}" if fraction else ""
    return time.strftime("%Y-%m-%dT%H:%M:%S", moment) + digits + ("Z" if zone == "+0000" else f"{zone[:3]}:{zone[3:]}")


def local_time(seconds: float) -> str:
    """ "2026-01-31 12:00:00 +0100 CET", as CreatedAt has it."""
    import time

    return time.strftime("%Y-%m-%d %H:%M:%S %z %Z", time.localtime(seconds))


def _read_size(word: str, step: int) -> int:
    number = word.strip().lower().removesuffix("ib").removesuffix("b").strip()
    power = BINARY_LETTERS.find(number[-1:]) if number else 0
    if power > 0:
        number = number[:-1].strip()
    if not number.replace(".", "", 1).isdecimal():
        raise ValueError(f"invalid size: '{word}'")
    return int(float(number) * step ** max(power, 0))


def _six_digits(word: str) -> str:
    # datetime reads six digits of a second; Docker writes nine
    head, dot, tail = word.partition(".")
    digits = len(tail) - len(tail.lstrip("0123456789"))
    return head + dot + (tail[:6] if digits > 6 else tail[:digits]) + tail[digits:] if dot else word
