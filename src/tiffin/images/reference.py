"""The names of images, as Docker reads and shows them (distribution/reference, "Grammar").

    reference := name [":" tag] ["@" digest]          localhost:5000/team/base:1.2@sha256:<64 hex digits>
    name      := [domain "/"] path                    the domain has a dot, a colon or capitals, or is localhost
    path      := part ("/" part)*                     lower case and digits, separated by one of . _ __ or dashes

What is left out is filled in, and left out again where it is shown: `base` is docker.io/library/base:latest.
"""

from __future__ import annotations

from tiffin.errors import BadName
from tiffin.record import NamedTuple

DEFAULT_DOMAIN = "docker.io"
DEFAULT_TAG = "latest"
OFFICIAL = "library"
LONGEST_NAME = 255

# compiled where a name is more than letters and digits: that costs more than all of `ps`
LABEL = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
DOMAIN = rf"(?:{LABEL}(?:\.{LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
PART = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
PATH = rf"{PART}(?:/{PART})*"
TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
HEXADECIMAL = frozenset("0123456789abcdef")
DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"


class Reference(NamedTuple):
    """A name, filled in as far as it can be without asking anybody. `tag` and `digest` are None where not given."""

    domain: str
    path: str
    tag: str | None = None
    digest: str | None = None

    @property
    def repository(self) -> str:
        """In full: docker.io/library/base."""
        return f"{self.domain}/{self.path}"

    @property
    def familiar_repository(self) -> str:
        """As Docker shows it: base."""
        if self.domain != DEFAULT_DOMAIN:
            return self.repository
        first, _, rest = self.path.partition("/")
        if first == OFFICIAL and rest and "/" not in rest:
            return rest
        # docker.io/example.com/base without its domain would be read as another name
        return self.repository if _is_domain(first) and rest else self.path

    def tagged(self) -> Reference:
        """With the tag `latest`, unless there is a tag or a digest."""
        return self._replace(tag=DEFAULT_TAG) if self.tag is None and self.digest is None else self

    def familiar(self) -> str:
        """As Docker shows it: base:latest."""
        return self.familiar_repository + self._ending()

    def __str__(self) -> str:
        return self.repository + self._ending()

    def _ending(self) -> str:
        return (f":{self.tag}" if self.tag is not None else "") + (f"@{self.digest}" if self.digest is not None else "")


def parse(text: str) -> Reference:
    """Raises BadName, with Docker's words first."""
    if len(text) == 64 and HEXADECIMAL.issuperset(text):
        raise BadName(f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings")
    rest, at, digest = text.partition("@")
    if at and not _fits(DIGEST, digest):
        raise BadName(f"invalid reference format: {_shown(text)} needs a digest like sha256:<64 hex digits> after @")
    # a colon after the last slash begins a tag, one before it a port
    last_slash, colon = rest.rfind("/"), rest.rfind(":")
    name, tag = (rest[:colon], rest[colon + 1 :]) if colon > last_slash else (rest, None)
    if tag is not None and not _is_tag(tag):
        raise BadName(f"invalid reference format: the tag of {_shown(text)} must be 1 to 128 letters, digits and _.-")
    domain, path = _split(name)
    if not _is_path(path) or not _is_whole_domain(domain):
        if path != path.lower() and _is_path(path.lower()):
            raise BadName(f"invalid reference format: repository name ({path[:LONGEST_NAME]}) must be lowercase")
        raise BadName(f"invalid reference format: {_shown(text)}; a name looks like base, base:tag or host:5000/a/b")
    if len(domain) + 1 + len(path) > LONGEST_NAME:
        raise BadName(f"invalid reference format: repository name must not be more than {LONGEST_NAME} characters")
    return Reference(domain, path, tag, digest if at else None)


def parse_tagged(text: str) -> Reference:
    """A name that an image can be given: with `latest` where no tag is told. Raises BadName, also for a digest."""
    reference = parse(text)
    if reference.digest is not None:
        raise BadName(f"refusing to create a tag with a digest reference: {_shown(text)}; leave out what follows @")
    return reference.tagged()


def _split(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    if not slash or not _is_domain(first):
        first, rest = DEFAULT_DOMAIN, name
    if first == "index.docker.io":
        first = DEFAULT_DOMAIN
    if first == DEFAULT_DOMAIN and "/" not in rest:
        rest = f"{OFFICIAL}/{rest}"
    return first, rest


def _is_domain(part: str) -> bool:
    return "." in part or ":" in part or part == "localhost" or part != part.lower()


def _is_path(path: str) -> bool:
    return (path == path.lower() and all(map(_is_plain, path.split("/")))) or _fits(PATH, path)


def _is_whole_domain(domain: str) -> bool:
    return domain == DEFAULT_DOMAIN or _fits(DOMAIN, domain)


def _is_tag(tag: str) -> bool:
    return (_is_plain(tag) and len(tag) <= 128) or _fits(TAG, tag)


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isalnum()


def _fits(pattern: str, text: str) -> bool:
    import re  # only where it is needed

    return re.fullmatch(pattern, text) is not None


def _shown(text: str) -> str:
    return repr(text if len(text) <= 100 else text[:100] + "…")
