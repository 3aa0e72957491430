from __future__ import annotations

import ctypes
import os
import re
import sys

import pytest

from tests.kernel.children import in_child
from tiffin.kernel import capabilities
from tiffin.kernel.libc import libc

CHOWN, SETPCAP, NET_ADMIN, CHECKPOINT_RESTORE = 0, 8, 12, 40


def sets_of_this_process() -> dict[str, int]:
    with open("/proc/self/status", encoding="ascii") as status:
        return {name: int(mask, 16) for name, mask in re.findall(r"^Cap(\w+):\t(\w+)$", status.read(), re.M)}


@pytest.mark.parametrize("spelling", ["NET_ADMIN", "CAP_NET_ADMIN", "net_admin", "Cap_Net_Admin"])
def test_users_may_spell_a_capability_in_any_case_with_or_without_cap(spelling: str) -> None:
    assert capabilities.parse([spelling]) == {NET_ADMIN}


def test_all_means_the_41_that_there_are() -> None:
    assert capabilities.parse(["all"]) == set(range(41)) == capabilities.parse(capabilities.NAMES)


def test_an_unknown_capability_is_named_in_the_error() -> None:
    with pytest.raises(ValueError, match="no capability is named FLYING"):
        capabilities.parse(["CHOWN", "FLYING"])


def test_the_numbers_are_those_of_the_kernel_header() -> None:
    some = {"CAP_CHOWN": 0, "CAP_SYS_ADMIN": 21, "CAP_SETFCAP": 31, "CAP_MAC_OVERRIDE": 32, "CAP_BPF": 39}
    assert {name: capabilities.NAMES.index(name) for name in some} == some


def test_names_are_given_back_in_the_order_of_the_numbers() -> None:
    assert capabilities.names({CHECKPOINT_RESTORE, CHOWN, 63}) == ["CAP_CHOWN", "CAP_CHECKPOINT_RESTORE", "CAP_63"]


def test_dockers_default_capabilities_have_the_mask_that_docker_shows() -> None:
    default = (
        "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT "
        "KILL AUDIT_WRITE"
    )
    numbers = capabilities.parse(default.split())
    assert capabilities.mask(numbers) == 0x00000000A80425FB
    assert capabilities.members(0x00000000A80425FB) == numbers


def test_the_bounding_set_is_what_the_kernel_shows_in_status() -> None:
    assert capabilities.mask(capabilities.bounding()) == sets_of_this_process()["Bnd"]


def test_the_last_capability_is_what_the_kernel_says() -> None:
    with open("/proc/sys/kernel/cap_last_cap", encoding="ascii") as last:
        assert capabilities.last_cap() == int(last.read())


@pytest.mark.root
def test_dropping_the_bounding_set_leaves_what_was_to_be_kept() -> None:
    def drop() -> int:
        capabilities.drop_bounding(1 << CHOWN | 1 << SETPCAP)
        return sets_of_this_process()["Bnd"]

    assert in_child(drop) == 1 << CHOWN | 1 << SETPCAP


@pytest.mark.root
def test_the_three_sets_are_set_at_once_in_both_words() -> None:
    def change() -> dict[str, int]:
        high = 1 << CHECKPOINT_RESTORE
        capabilities.set_capabilities(effective=high, permitted=high | 1 << CHOWN, inheritable=1 << CHOWN)
        return sets_of_this_process()

    assert in_child(change).items() >= {"Eff": 1 << 40, "Prm": 1 << 40 | 1, "Inh": 1}.items()


@pytest.mark.root
def test_ambient_capabilities_are_raised_and_cleared() -> None:
    def change() -> list[int]:
        both = 1 << CHOWN | 1 << NET_ADMIN
        capabilities.set_capabilities(both, both, both)
        capabilities.raise_ambient(both)
        raised = sets_of_this_process()["Amb"]
        capabilities.clear_ambient()
        return [raised, sets_of_this_process()["Amb"]]

    assert in_child(change) == [1 << CHOWN | 1 << NET_ADMIN, 0]


@pytest.mark.root
def test_a_capability_that_is_not_permitted_cannot_be_raised() -> None:
    def change() -> str:
        capabilities.set_capabilities(1 << CHOWN, 1 << CHOWN, 1 << CHOWN)
        with pytest.raises(PermissionError) as caught:
            capabilities.raise_ambient(1 << NET_ADMIN)
        return str(caught.value)

    assert "prctl" in in_child(change)


@pytest.mark.root
def test_permitted_capabilities_survive_a_change_of_user_only_if_kept() -> None:
    def change(keep: bool) -> int:
        capabilities.set_keepcaps(keep)
        os.setresuid(1000, 1000, 1000)
        return sets_of_this_process()["Prm"]

    assert in_child(lambda: change(keep=False)) == 0
    assert in_child(lambda: change(keep=True)) == sets_of_this_process()["Prm"]


def test_no_new_privs_is_set_for_good() -> None:
    def change() -> int:
        capabilities.set_no_new_privs()
        get_no_new_privs = 39
        return int(libc.prctl(ctypes.c_int(get_no_new_privs), *[ctypes.c_ulong(0)] * 4))

    assert in_child(change) == 1


@pytest.mark.root
def test_nothing_is_imported_or_opened_while_capabilities_change() -> None:
    def change() -> list[str]:
        seen: list[str] = []
        sys.addaudithook(lambda event, _: seen.append(event) if event in ("import", "open") else None)
        sys.meta_path.clear()
        capabilities.clear_ambient()
        capabilities.drop_bounding(0)
        capabilities.set_keepcaps(True)
        capabilities.set_no_new_privs()
        capabilities.set_capabilities(0, 0, 0)
        return seen

    assert in_child(change) == []
