"""What programs write, for hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

WORDS = ("a", "\t", '"', "\\", "é", "\u2028", "\U0001f371", "\x1b[1m", "\x7f", " ", "\r")


def output() -> st.SearchStrategy[bytes]:
    """Some lines, of text and of other bytes (but for NUL)."""
    word = st.sampled_from(WORDS).map(str.encode) | st.binary(min_size=1, max_size=8)
    words = st.lists(word | st.just(b"\n"), max_size=20)
    return words.map(b"".join).map(lambda text: text.replace(b"\0", b""))
