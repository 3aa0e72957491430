"""Our way to JSON against the standard library's: the same texts, the same values, the same refusals."""

from __future__ import annotations

import json as standard
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiffin import json

Value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(Value, st.sampled_from([None, 0, 1, 4]), st.booleans(), st.booleans())
def test_values_are_written_as_the_standard_library_writes_them(
    value: object, indent: int | None, sort_keys: bool, ensure_ascii: bool
) -> None:
    for separators in ((", ", ": "), (",", ": ")) if indent is None else ((",", ": "),):
        written = json.dumps(
            value, indent=indent, sort_keys=sort_keys, ensure_ascii=ensure_ascii, separators=separators
        )
        assert written == standard.dumps(
            value, indent=indent, sort_keys=sort_keys, ensure_ascii=ensure_ascii, separators=separators
        )
        assert json.loads(written) == value


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "{", "[", "[1,", '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a" 1}', "{a:1}", "nul", "1 2", "1,", "01",
        "-", '"', '"\\', '"\\x"', '"\n"', "[1]]", "\ufeff{}", "'a'", "+1", "NaN", "-Infinity", "1e999",
        " \t\r\n1\n", "\x0b1", '{"a":1,"a":2}', '"\\ud800"', b"\xff", b"\xef\xbb\xbf1", b"", '"\xe9"'.encode(),
        "[" * 5, "\u00a01",
    ],
)  # fmt: skip
def test_texts_are_read_or_refused_as_the_standard_library_does(text: str | bytes) -> None:
    assert _read(json.loads, text) == _read(standard.loads, text)


def _read(loads: Callable[[str | bytes], object], text: str | bytes) -> str:
    try:
        return repr(loads(text))
    except ValueError as error:
        return f"{type(error).__name__}: {error}"


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        json.dumps({"a": {1}})
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(ValueError, match="Circular"):
        json.dumps(endless)


def test_a_wrong_text_is_an_error_where_nothing_can_be_imported() -> None:
    program = """
import sys
sys.path.insert(0, sys.argv[1])
from tiffin import json
sys.meta_path.clear()
for text in ("", "{", '{"a": "', "1 2", b"\\xff", '["\\\\x"]'):
    try:
        print(json.loads(text))
    except ValueError:
        print("refused")
"""
    source = json.__file__.rpartition("/tiffin/")[0]
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program, source], capture_output=True, text=True)
    assert done.stdout.split() == ["refused"] * 6, done.stderr


def test_the_standard_library_s_is_not_loaded() -> None:
    program = "import sys; sys.path.insert(0, sys.argv[1]); from tiffin import json; json.loads(json.dumps({'a': [1]}))"
    program += "; print('json' in sys.modules, 're' in sys.modules)"
    source = json.__file__.rpartition("/tiffin/")[0]
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program, source], capture_output=True, text=True)
    assert done.stdout == "False False\n", done.stderr
