"""How a system call is written down for a reader: `openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC)`.

As strace writes it: flags by their names, descriptors with what they were opened as, text in quotes. Text comes from
images and users, and is made harmless: what leaves here is printable ASCII, and of bounded length.

Not shown: the variables of a program (they hold passwords; only how many there are), what was read, and most of what
was written.
"""

from __future__ import annotations

import os
import stat

from tiffin.kernel import capabilities, files, mounts, network, process, seccomp, signals
from tiffin.kernel.libc import SYS
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import ModuleType
    from typing import Any

    Form = Callable[[object, "Descriptors"], str]
    Describe = Callable[[tuple[Any, ...], dict[str, Any], "Descriptors"], "Shown"]

LONGEST_TEXT = 200  # characters of one argument that are shown
MOST_WORDS = 32  # of a command
MOST_BYTES = 32  # of what is written to a file
IOCTLS = {
    0x5401: "TCGETS", 0x540E: "TIOCSCTTY", 0x5410: "TIOCSPGRP", 0x5413: "TIOCGWINSZ", 0x5414: "TIOCSWINSZ",
    0x5421: "FIONBIO", 0x5441: "TIOCGPTPEER", 0x5451: "FIOCLEX", 0x40045431: "TIOCSPTLCK",
    files.FS_IOC_SETFLAGS: "FS_IOC_SETFLAGS", network.SIOCGIFFLAGS: "SIOCGIFFLAGS",
    network.SIOCSIFFLAGS: "SIOCSIFFLAGS",
}  # fmt: skip
OPENING = (
    "O_PATH O_WRONLY O_RDWR O_CREAT O_EXCL O_NOCTTY O_TRUNC O_APPEND O_NONBLOCK O_DIRECTORY O_NOFOLLOW O_CLOEXEC"
).split()


class Descriptors:
    """What the descriptors of a process were opened as, as far as it is known."""

    def __init__(self) -> None:
        self._known: dict[int, str] = {}

    def opened(self, number: int, what: str) -> None:
        self._known[number] = what

    def closed(self, low: int, high: int) -> None:
        """From `low` up to, and without, `high`."""
        for number in [number for number in self._known if low <= number < high]:
            del self._known[number]

    def copied(self, number: int, to: int) -> None:
        if number in self._known:
            self._known[to] = self._known[number]
        else:
            self._known.pop(to, None)

    def path(self, folder: object, path: object) -> str:
        """What a path leads to that counts from a descriptor; in a container's root absolute ones count from it too."""
        text = os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else ""
        above = self._known.get(folder, "") if isinstance(folder, int) else ""
        if not above or not text:
            return above or text
        return f"{above.rstrip('/')}/{text.lstrip('/')}"

    def shown(self, number: int) -> str:
        known = self._known.get(number)
        return f"{number}<{quoted(known)}>" if known else str(number)


class Shown(NamedTuple):
    name: str
    arguments: str
    leads_to: str = ""
    """what a descriptor that comes back was opened as"""


def quoted(value: object, longest: int = LONGEST_TEXT) -> str:
    """Text or bytes as a string in quotes, of printable ASCII alone; `...` after it where it was cut."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        kept = os.fsdecode(bytes(value[:longest]))  # what is written may be large
        is_cut = len(value) > longest
    else:
        kept = os.fsdecode(value if isinstance(value, (str, os.PathLike)) else repr(value))
        is_cut = len(kept) > longest
    kept = kept[:longest]
    if not (kept.isascii() and kept.isprintable()) or '"' in kept or "\\" in kept:
        kept = "".join(map(_harmless, kept))
    return f'"{kept}"{"..." if is_cut else ""}'


def _harmless(character: str) -> str:
    number = ord(character)
    if 0x20 <= number < 0x7F:
        return f"\\{character}" if character in '"\\' else character
    if character in "\n\t":
        return "\\n" if character == "\n" else "\\t"
    if 0xDC80 <= number <= 0xDCFF:  # a byte that is no UTF-8
        return f"\\x{number - 0xDC00:02x}"
    return character.encode("ascii", "backslashreplace").decode() if number > 0x7F else f"\\x{number:02x}"


# forms of one argument


def plain(value: object, descriptors: Descriptors) -> str:
    """Of any kind, as well as can be."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (str, bytes, os.PathLike)):
        return quoted(value)
    if isinstance(value, (list, tuple, range)):
        more = ", ..." if len(value) > MOST_WORDS else ""
        return f"[{', '.join(plain(item, descriptors) for item in value[:MOST_WORDS])}{more}]"
    inner = getattr(value, "value", None)
    return plain(inner, descriptors) if isinstance(inner, (int, bytes)) else "{...}"


def text(value: object, descriptors: Descriptors) -> str:
    """A path or name; of an open file, its descriptor."""
    return descriptor(value, descriptors) if isinstance(value, int) else plain(value, descriptors)


def descriptor(value: object, descriptors: Descriptors) -> str:
    if value is None or value == files.AT_FDCWD:
        return "AT_FDCWD"
    return descriptors.shown(value) if isinstance(value, int) else plain(value, descriptors)


def octal(value: object, descriptors: Descriptors) -> str:
    return f"0{value:o}" if isinstance(value, int) else plain(value, descriptors)


def hexadecimal(value: object, descriptors: Descriptors) -> str:
    return hex(value) if isinstance(value, int) else plain(value, descriptors)


def node_mode(value: object, descriptors: Descriptors) -> str:
    kinds = {stat.S_IFCHR: "S_IFCHR|", stat.S_IFBLK: "S_IFBLK|", stat.S_IFIFO: "S_IFIFO|", stat.S_IFREG: "S_IFREG|"}
    if not isinstance(value, int):
        return plain(value, descriptors)
    return f"{kinds.get(stat.S_IFMT(value), '')}0{stat.S_IMODE(value):o}"


def device(value: object, descriptors: Descriptors) -> str:
    if not isinstance(value, int):
        return plain(value, descriptors)
    return f"makedev({os.major(value)}, {os.minor(value)})"


def content(value: object, descriptors: Descriptors) -> str:
    return quoted(value, MOST_BYTES)


def variables(value: object, descriptors: Descriptors) -> str:
    return f"[{len(value)} variables]" if isinstance(value, (dict, list, tuple)) else "[variables]"


def opening(value: object, descriptors: Descriptors) -> str:
    """Python adds O_CLOEXEC, as openat2 here."""
    if not isinstance(value, int):
        return plain(value, descriptors)
    names = {getattr(os, name): name for name in OPENING}
    # two flags that hold others
    whole = [name for name in ("O_TMPFILE", "O_SYNC") if value & getattr(os, name) == getattr(os, name)]
    rest = value & ~sum(getattr(os, name) for name in whole) | os.O_CLOEXEC
    access = [] if value & os.O_ACCMODE or value & os.O_PATH else ["O_RDONLY"]
    return "|".join([*access, *whole, _joined(rest, names)])


def ioctl_request(value: object, descriptors: Descriptors) -> str:
    return IOCTLS.get(value, hex(value)) if isinstance(value, int) else plain(value, descriptors)


def signal_number(value: object, descriptors: Descriptors) -> str:
    names = {number: name for name, number in signals.numbers().items()}
    return names.get(value, str(value)) if isinstance(value, int) else plain(value, descriptors)


def flags(*names: tuple[ModuleType, str]) -> Form:
    """A form that knows the bits of constants by the beginning of their names."""
    known = _constants(names)
    return lambda value, _: _joined(value, known) if isinstance(value, int) else str(value)


def one_of(*names: tuple[ModuleType, str]) -> Form:
    """A form that knows numbers by the beginning of their names."""
    known = _constants(names)
    return lambda value, _: known.get(value, str(value)) if isinstance(value, int) else str(value)


def structure(**forms: Form) -> Form:
    """Of a structure passed by its address, those fields that are not zero and that a reader understands."""

    def shown(value: object, descriptors: Descriptors) -> str:
        inside = getattr(value, "_obj", None)
        there = ((name, form, getattr(inside, name, 0)) for name, form in forms.items())
        return f"{{{', '.join(f'{name}={form(field, descriptors)}' for name, form, field in there if field)}}}"

    return shown


def capability_sets(value: object, descriptors: Descriptors) -> str:
    """The three sets of capset(2), each in two halves."""
    low, high = getattr(value, "_obj", (None, None))
    sets = []
    for name in ("effective", "permitted", "inheritable"):
        held = capabilities.members(getattr(low, name) | getattr(high, name) << 32)
        sets.append(f"{name}={'|'.join(capabilities.names(held)) or '0'}")
    return f"{{{', '.join(sets)}}}"


def _constants(names: Iterable[tuple[ModuleType, str]]) -> dict[int, str]:
    return {
        value: name
        for module, beginning in names
        for name, value in vars(module).items()
        if name.startswith(beginning) and isinstance(value, int)
    }


def _joined(value: int, names: Mapping[int, str]) -> str:
    there = [name for bit, name in names.items() if bit and value & bit == bit]
    rest = value & ~sum(bit for bit in names if value & bit == bit)
    return "|".join([*there, *([hex(rest)] if rest else [])]) or "0"


# whole calls

SPREADING = flags((mounts, "MS_"))
SPACES = flags((process, "CLONE_"))
PATH_FLAGS = flags((mounts, "AT_"), (mounts, "OPEN_TREE_"))

CALLS: Mapping[str, tuple[Form, ...]] = {
    "mount": (text, text, text, SPREADING, text),
    "umount2": (text, flags((mounts, "MNT_"))),
    "pivot_root": (text, text),
    "open_tree": (descriptor, text, PATH_FLAGS),
    "move_mount": (descriptor, text, descriptor, text, flags((mounts, "MOVE_MOUNT_"))),
    "mount_setattr": (
        descriptor, text, PATH_FLAGS, structure(attr_set=flags((mounts, "MOUNT_ATTR_")), propagation=SPREADING), plain
    ),
    "fsopen": (text, flags((mounts, "FSOPEN_"))),
    "fsconfig": (descriptor, one_of((mounts, "FSCONFIG_")), plain, plain, plain),
    "fsmount": (descriptor, flags((mounts, "FSMOUNT_")), plain),
    "openat2": (descriptor, text, structure(flags=opening, mode=octal, resolve=flags((files, "RESOLVE_"))), plain),
    "renameat2": (descriptor, text, descriptor, text, flags((files, "RENAME_"))),
    "syncfs": (descriptor,),
    "memfd_create": (text, flags((files, "MFD_"))),
    "unshare": (SPACES,),
    "setns": (descriptor, SPACES),
    "clone3": (structure(flags=SPACES, exit_signal=signal_number, cgroup=descriptor), plain),
    "capset": (structure(version=hexadecimal), capability_sets),
    "seccomp": (one_of((seccomp, "SECCOMP_")), plain, structure(length=plain)),
    "keyctl": (one_of((process, "KEYCTL_")), plain),
    "bpf": (plain, structure(), plain),
}  # fmt: skip
"""Of those that `kernel` makes by number. The forms of others are guessed from the values."""

OPENS_AT = ("openat2", "open_tree")


def kernel_call(name: str) -> Describe:
    """Of a function that `libc.caller` made."""

    def describe(arguments: tuple[Any, ...], named: dict[str, Any], descriptors: Descriptors) -> Shown:
        if name == "prctl":
            return Shown(name, _prctl(arguments, descriptors))
        forms = CALLS.get(name, ())
        forms += (plain,) * (len(arguments) - len(forms))
        words = [form(argument, descriptors) for form, argument in zip(forms, arguments, strict=False)]
        return Shown(name, ", ".join(words), descriptors.path(*arguments[:2]) if name in OPENS_AT else "")

    return describe


def numbered_call(arguments: tuple[Any, ...], named: dict[str, Any], descriptors: Descriptors) -> Shown:
    """Of `libc.syscall`."""
    number, *rest = arguments
    name = next((name for name, known in zip(SYS._fields, SYS, strict=True) if known == number), f"syscall_{number}")
    return kernel_call(name)(tuple(rest), named, descriptors)


def _prctl(arguments: tuple[Any, ...], descriptors: Descriptors) -> str:
    option, first, *others = (getattr(argument, "value", argument) for argument in arguments)
    name = "PR_CAP_AMBIENT" if option == capabilities.PR_CAP_AMBIENT else OPTIONS(option, descriptors)
    if name == "PR_CAP_AMBIENT":
        raised = capabilities.names(others[:1]) if first == capabilities.PR_CAP_AMBIENT_RAISE else []
        return ", ".join([name, AMBIENT(first, descriptors), *raised])
    if name.startswith("PR_CAPBSET_"):
        return f"{name}, {capabilities.names([first])[0]}"
    return f"{name}, {(signal_number if name == 'PR_SET_PDEATHSIG' else plain)(first, descriptors)}"


AMBIENT = one_of((capabilities, "PR_CAP_AMBIENT_"))
OPTIONS = one_of((process, "PR_"), (capabilities, "PR_SET_"), (capabilities, "PR_CAPBSET_"))


def result_shown(name: str, value: object) -> str:
    """What came back: a number, where a link leads, how many bytes; and 0 for what Python has no value for."""
    if isinstance(value, int):
        return f"0{value:o}" if name == "umask" else str(int(value))
    if isinstance(value, str):
        return quoted(value)
    if name == "ioctl":
        return "0"  # what Python gives back for it is the buffer
    if isinstance(value, (bytes, list)):
        return str(len(value))
    if isinstance(value, tuple) and value and isinstance(value[0], bytes):  # with descriptors beside them
        return str(len(value[0]))
    if type(value) is tuple:  # and no stat_result
        return f"[{', '.join(str(number_of(item)) for item in value)}]"
    return str(number_of(value))


def number_of(value: object) -> int:
    """Of a descriptor, or of what has one."""
    number = getattr(value, "fileno", None)
    if callable(number):
        return int(number())
    return value if isinstance(value, int) else 0
