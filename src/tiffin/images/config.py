"""The config of an image: its settings, its history, and which layers it is a view of (OCI image-spec, config.md).

    +-- config of the image ------------------------------------+
    | created, author, architecture, os                         |
    | config:   Env, Cmd, Entrypoint, WorkingDir, ...           |   the id of the image is the digest of these bytes,
    | history:  what each step did, settings-only steps too     |   so they are kept as they came
    | rootfs:   diff ids of the layers, bottom first            |
    +-----------------------------------------------------------+

Docker writes more fields into it than OCI names (`container_config`, `docker_version`, ...); they stay in the bytes.
"""

from __future__ import annotations

from tiffin.errors import BadArchive, BadParameter
from tiffin.images import forms
from tiffin.images.forms import JSON
from tiffin.model.config import Config, Healthcheck
from tiffin.model.nouns import chain_id
from tiffin.record import NamedTuple
from tiffin.store.content import hex_of


class HistoryEntry(NamedTuple):
    """What one step did. `created` as in RFC 3339; `empty_layer`: the step changed settings only."""

    created: str = ""
    created_by: str = ""
    comment: str = ""
    author: str = ""
    empty_layer: bool = False

    def to_json(self) -> JSON:
        return _without_empty(self._asdict())


class ImageConfig(NamedTuple):
    """`diff_ids` bottom first; `created` as in RFC 3339."""

    config: Config = Config()
    history: tuple[HistoryEntry, ...] = ()
    diff_ids: tuple[str, ...] = ()
    created: str = ""
    author: str = ""
    architecture: str = ""
    os: str = "linux"
    variant: str = ""

    @classmethod
    def from_bytes(cls, content: bytes) -> ImageConfig:
        """Raises BadArchive for what is no config of an image."""
        form = forms.parse_object(content, "the config")
        rootfs = forms.object_in(form, "rootfs", "the config")
        if rootfs.get("type") != "layers":
            raise BadArchive("the config has no rootfs of type layers: it belongs to something that is no image")
        diff_ids = tuple(forms.texts(rootfs, "diff_ids", "the config"))
        try:
            for diff_id in diff_ids:
                hex_of(diff_id)
            settings = Config.from_json(forms.object_in(form, "config", "the config"))
        except BadParameter as error:
            raise BadArchive(f"the config of the image: {error}") from error
        return cls(
            settings,
            tuple(map(_entry, forms.objects(form, "history", "the config"))),
            diff_ids,
            forms.text(form, "created", "the config"),
            forms.text(form, "author", "the config"),
            forms.text(form, "architecture", "the config"),
            forms.text(form, "os", "the config") or "linux",
            forms.text(form, "variant", "the config"),
        )

    def to_bytes(self) -> bytes:
        """For an image that is made here. Only what is set is written, in `forms.canonical`."""
        form = _without_empty(
            {
                "architecture": self.architecture,
                "author": self.author,
                "config": _without_empty(self.config.to_json()),
                "created": self.created,
                "history": [entry.to_json() for entry in self.history],
                "os": self.os,
                "variant": self.variant,
            }
        )
        return forms.canonical(form | {"rootfs": {"type": "layers", "diff_ids": list(self.diff_ids)}})

    def layers(self) -> tuple[str, ...]:
        """The chain ids of its layers, bottom first."""
        ids: list[str] = []
        for diff_id in self.diff_ids:
            ids.append(chain_id(ids[-1] if ids else None, diff_id))
        return tuple(ids)

    def with_step(self, entry: HistoryEntry, diff_id: str | None, config: Config) -> ImageConfig:
        """The config of the image that one more step makes of this one; without a diff id only settings changed."""
        told = sum(not step.empty_layer for step in self.history)
        # a history may be missing; the new step must still meet its own layer when they are counted from the bottom
        untold = (HistoryEntry(),) * (len(self.diff_ids) - told)
        return self._replace(
            config=config,
            history=(*self.history, *untold, entry._replace(empty_layer=diff_id is None)),
            diff_ids=self.diff_ids if diff_id is None else (*self.diff_ids, diff_id),
            created=entry.created,
            author=entry.author or self.author,
        )


def merge(image: Config, asked: Config) -> Config:
    """The settings of a container: what was asked for, and from the image what was not. Docker's rules.

    Environment by variable; labels, volumes and ports by key; an entrypoint that was asked for drops the image's
    command too, and an empty one ("") drops the image's entrypoint.
    """
    return asked._replace(
        user=asked.user or image.user,
        env=asked.env + _missing_variables(image.env, asked.env),
        cmd=asked.cmd or (() if asked.entrypoint else image.cmd),
        entrypoint=_entrypoint(image.entrypoint, asked.entrypoint),
        working_dir=asked.working_dir or image.working_dir,
        volumes=_union(asked.volumes, image.volumes),
        exposed_ports=_union(asked.exposed_ports, image.exposed_ports),
        labels={**image.labels, **asked.labels},
        stop_signal=asked.stop_signal or image.stop_signal,
        stop_timeout=image.stop_timeout if asked.stop_timeout is None else asked.stop_timeout,
        shell=image.shell if asked.shell is None else asked.shell,
        healthcheck=_healthcheck(image.healthcheck, asked.healthcheck),
    )


def _entry(form: JSON) -> HistoryEntry:
    what = "the history in the config"
    created, created_by, comment, author = (
        forms.text(form, key, what) for key in ("created", "created_by", "comment", "author")
    )
    return HistoryEntry(created, created_by, comment, author, form.get("empty_layer") is True)


def _without_empty(form: JSON) -> JSON:
    return {key: value for key, value in form.items() if value not in (None, "", False, [], {}, 0)}


def _missing_variables(image: tuple[str, ...], asked: tuple[str, ...]) -> tuple[str, ...]:
    known = {variable.partition("=")[0] for variable in asked}
    return tuple(variable for variable in image if variable.partition("=")[0] not in known)


def _entrypoint(image: tuple[str, ...] | None, asked: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if asked is None:
        return image
    return () if asked == ("",) else asked


def _union(asked: tuple[str, ...], image: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*asked, *image)))


def _healthcheck(image: Healthcheck | None, asked: Healthcheck | None) -> Healthcheck | None:
    if image is None or asked is None:
        return asked or image
    return Healthcheck(
        asked.test or image.test,
        asked.interval or image.interval,
        asked.timeout or image.timeout,
        asked.start_period or image.start_period,
        asked.start_interval or image.start_interval,
        asked.retries or image.retries,
    )
