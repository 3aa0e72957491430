"""Settings as the library takes them."""

from __future__ import annotations

import pytest

from tiffin.model.config import as_words


def test_words_may_come_in_any_list():
    assert as_words(["ls", "-l"], "a command") == as_words(iter(("ls", "-l")), "a command") == ("ls", "-l")
    assert as_words((), "a command") == ()


@pytest.mark.parametrize("given", ["ls", "", b"ls", ["sleep", 3], [None]])
def test_a_text_in_the_place_of_words_is_a_type_error(given):
    with pytest.raises(TypeError, match=r"a command must be a list of words, as in \['ls', '-l'\], and not"):
        as_words(given, "a command")
