"""Sizes, durations and moments."""

from __future__ import annotations

import time
from datetime import datetime

import pytest

from tiffin.cli import units

MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0, "0B"), (1, "1B"), (999, "999B"), (1000, "1kB"), (1234, "1.23kB"), (12345, "12.3kB"), (999_499, "999kB"),
        (999_600, "1MB"), (1_240_000, "1.24MB"), (211_000_000, "211MB"), (5 * 10**12, "5TB"), (3 * 10**18, "3EB"),
    ],
)  # fmt: skip
def test_sizes_have_three_digits_and_decimal_units(number, written):
    assert units.size(number) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.4, "Less than a second"), (1, "1 second"), (1.9, "1 second"), (59, "59 seconds"), (60, "About a minute"),
        (119, "About a minute"), (120, "2 minutes"), (3599, "59 minutes"), (HOUR, "About an hour"),
        (1.6 * HOUR, "2 hours"), (47 * HOUR, "47 hours"), (2 * DAY, "2 days"), (13 * DAY, "13 days"),
        (14 * DAY, "2 weeks"), (59 * DAY, "8 weeks"), (60 * DAY, "2 months"), (729 * DAY, "24 months"),
        (730 * DAY, "2 years"),
    ],
)  # fmt: skip
def test_durations_are_one_rough_word(seconds, written):
    assert units.duration(seconds) == written


def test_a_clock_that_was_set_back_makes_nothing_happen_in_the_future():
    assert units.ago(1000.0, 900.0) == "Less than a second ago"


@pytest.mark.parametrize(
    ("word", "number"),
    [("0", 0), ("512", 512), ("512b", 512), ("1k", 1024), ("1KB", 1024), ("1KiB", 1024), ("1.5g", 3 << 29),
     ("64m", 64 << 20), ("2T", 2 << 40), ("1 g", 1 << 30)],
)  # fmt: skip
def test_memory_counts_by_1024(word, number):
    assert units.read_binary_size(word) == number


def test_log_sizes_count_by_1000():
    assert units.read_decimal_size("10m") == 10_000_000


@pytest.mark.parametrize("word", ["", "m", "-1", "1x", "1.5.2g", "1e3", "g1", "."])
def test_what_is_no_size_is_refused(word):
    with pytest.raises(ValueError, match="invalid size"):
        units.read_binary_size(word)


@pytest.mark.parametrize(
    ("word", "number"), [("1", 10**9), ("1.5", 15 * 10**8), (".5", 5 * 10**8), ("2.", 2 * 10**9), ("0.000000001", 1)]
)
def test_cpus_are_decimal(word, number):
    assert units.read_cpus(word) == number


@pytest.mark.parametrize("word", ["", ".", "x", "-1", "1,5", "0.0000000001"])
def test_what_is_no_number_of_cpus_is_refused(word):
    with pytest.raises(ValueError, match=r"CPUs|precise"):
        units.read_cpus(word)


@pytest.mark.parametrize(
    ("word", "seconds"), [("90s", 90), ("1h30m", 5400), ("1.5h", 5400), ("250ms", 0.25), ("-1m", -60)]
)
def test_durations_are_read_as_in_go(word, seconds):
    assert units.read_duration(word) == pytest.approx(seconds)


@pytest.mark.parametrize("word", ["", "-", "10", "m", "1d", "1h 2m", "1.2.3s"])
def test_what_is_no_duration_is_refused(word):
    with pytest.raises(ValueError, match="duration"):
        units.read_duration(word)


@pytest.mark.parametrize(
    ("word", "moment"),
    [
        ("10m", 400.0),
        ("1700000000", 1_700_000_000.0),
        ("1700000000.5", 1_700_000_000.5),
        ("2023-11-14T22:13:20Z", 1_700_000_000.0),
        ("2023-11-14T22:13:20.123456789Z", 1_700_000_000.123456),
        ("2023-11-14T23:13:20+01:00", 1_700_000_000.0),
    ],
)
def test_moments_are_read_in_dockers_forms(word, moment):
    assert units.read_moment(word, now=1000.0) == pytest.approx(moment, abs=1e-5)


def test_a_day_begins_at_local_midnight():
    assert units.read_moment("2023-11-14", now=0) == datetime(2023, 11, 14).timestamp()


def test_what_is_no_moment_is_refused():
    with pytest.raises(ValueError, match="not a time"):
        units.read_moment("yesterday", now=0)


@pytest.mark.parametrize(
    ("zone", "written"),
    [
        ("UTC", "2023-11-14T22:13:20.000000005Z"),
        ("CET-1", "2023-11-14T23:13:20.000000005+01:00"),
        ("EST+5", "2023-11-14T17:13:20.000000005-05:00"),
    ],
)
def test_a_moment_is_written_as_docker_does(zone, written, monkeypatch):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        moment = 1_700_000_000_000_000_005
        assert units.rfc3339(moment) == written
        assert units.rfc3339(moment, fraction=False) == written.replace(".000000005", "")
    finally:
        monkeypatch.undo()
        time.tzset()
