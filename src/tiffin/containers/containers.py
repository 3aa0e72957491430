"""All containers of one store: making, finding, renaming, removing."""

from __future__ import annotations

import os

from tiffin.containers.record import ContainerRecord
from tiffin.errors import AmbiguousId, BadName, BadParameter, NameInUse, NoSuchContainer
from tiffin.store import Store, files
from tiffin.store.locks import Lock, lock

FIRST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
OTHER = FIRST | frozenset("_.-")
LONGEST_NAME = 200
HEX = frozenset("0123456789abcdef")


class Containers:
    """Names and folders. No state but the store's path."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def folder(self, id: str) -> str:
        return self.store.path("containers", id)

    def create(self, record: ContainerRecord, *, root_like: str | None, durable: bool = True) -> None:
        """Add a read-write layer; `root_like` is the folder whose mode and owner its root has. Raises NameInUse."""
        with self.store.draft(record.id) as draft:
            for name in ("diff", "work"):
                os.mkdir(f"{draft.path}/{name}", 0o755)
            if root_like is not None:
                there = os.stat(root_like)
                os.chown(f"{draft.path}/diff", there.st_uid, there.st_gid)
                os.chmod(f"{draft.path}/diff", there.st_mode & 0o7777)
            files.write_once(f"{draft.path}/json", record.to_bytes(), durable=durable)
            with self._names():
                self._reserve(record.name, record.id, durable=durable)
                draft.keep(self.folder(record.id), durable=durable)  # commit point

    def get(self, id: str) -> ContainerRecord:
        """By its whole id. Raises NoSuchContainer, StoreDamaged."""
        path = f"{self.folder(id)}/json"
        try:
            return ContainerRecord.from_bytes(files.read(path), path)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NoSuchContainer(f"No such container: {id}") from error

    def hold(self, id: str) -> Lock:
        """While it is held nobody deletes the container's files, even if it is removed. Raises NoSuchContainer."""
        try:
            return lock(self.folder(id), shared=True)
        except FileNotFoundError as error:
            raise NoSuchContainer(f"No such container: {id}") from error

    def ids(self) -> list[str]:
        return [name for name in os.listdir(self.store.path("containers")) if name != "names"]

    def all(self) -> list[ContainerRecord]:
        """Newest first. One that is removed meanwhile is left out."""
        found = list[ContainerRecord]()
        for id in self.ids():
            try:
                found.append(self.get(id))
            except NoSuchContainer:
                continue
        return sorted(found, key=lambda record: record.created, reverse=True)

    def resolve(self, reference: str) -> ContainerRecord:
        """By id, name, or unique prefix of an id, in this order, as Docker. Raises NoSuchContainer, AmbiguousId."""
        if _is_hex(reference) and len(reference) == 64 and os.path.isdir(self.folder(reference)):
            return self.get(reference)
        named = self._named(reference.removeprefix("/"))
        if named is not None:
            return named
        fitting = [id for id in self.ids() if id.startswith(reference)] if _is_hex(reference) else []
        if len(fitting) > 1:
            some = ", ".join(sorted(id[:12] for id in fitting)[:3])
            raise AmbiguousId(f"{reference} fits {len(fitting)} containers ({some}, ...); give more of the id")
        if not fitting:
            raise NoSuchContainer(f"No such container: {reference[:200]}" if reference else "an empty name names none")
        return self.get(fitting[0])

    def rename(self, id: str, name: str) -> ContainerRecord:
        """Raises NoSuchContainer, NameInUse, BadName, StoreFull, and BadParameter where it has that name already."""
        with self.store.writing(), self._names():
            record = self.get(id)  # as it is now
            if name == record.name:
                raise BadParameter("Renaming a container with the same name as its current name")
            self._reserve(name, id, durable=True)
            try:
                renamed = record._replace(name=name)
                files.replace(f"{self.folder(id)}/json", renamed.to_bytes())  # commit point
            except BaseException as error:
                self._release(name, id)
                if isinstance(error, FileNotFoundError):
                    raise NoSuchContainer(f"No such container: {id}") from error
                raise
            self._release(record.name, id)
        return renamed

    def remove(self, record: ContainerRecord) -> str:
        """The container leaves its place; its files are to be deleted where they are now. Raises NoSuchContainer."""
        record = self.get(record.id)  # it may have been renamed
        try:
            taken = self.store.trash(self.folder(record.id), durable=not record.host.auto_remove)  # commit point
        except FileNotFoundError as error:
            raise NoSuchContainer(f"No such container: {record.id}") from error
        with self._names():  # else it may be given away between looking and taking
            self._release(record.name, record.id)
        return taken

    def free_name(self) -> str:
        """An adjective and a dish, as nobody has it yet."""
        from tiffin.containers.names import suggest  # only without --name

        while True:
            name = suggest()
            if self._named(name) is None:
                return name

    def _named(self, name: str) -> ContainerRecord | None:
        if not _is_name(name):
            return None
        try:
            target = os.path.basename(os.readlink(self._link(name)))
            record = self.get(target)
        except (FileNotFoundError, NoSuchContainer):
            return None
        return record if record.name == name else None

    @staticmethod
    def check_name(name: str) -> None:
        """Raises BadName for what can be none."""
        if not _is_name(name):
            shown = name[:100]
            raise BadName(
                f"Invalid container name ({shown}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed, {LONGEST_NAME} at most"
            )

    def _reserve(self, name: str, id: str, *, durable: bool) -> None:
        self.check_name(name)
        holder = self._named(name)
        if holder is not None:
            raise NameInUse(
                f'Conflict. The container name "/{name}" is already in use by container "{holder.id}". '
                "You have to remove (or rename) that container to be able to reuse that name."
            )
        self._unlink(name)
        os.symlink(f"../{id}", self._link(name))
        if durable:
            files.sync_folder(self.store.path("containers", "names"))

    def _release(self, name: str, id: str) -> None:
        try:
            if os.path.basename(os.readlink(self._link(name))) == id:
                self._unlink(name)
        except FileNotFoundError:
            pass

    def _unlink(self, name: str) -> None:
        try:
            os.unlink(self._link(name))
        except FileNotFoundError:
            pass

    def _link(self, name: str) -> str:
        return self.store.path("containers", "names", name)

    def _names(self) -> Lock:
        """Held from looking whether a name is free until it is taken."""
        return lock(self.store.path("containers", "names"))


def _is_name(name: str) -> bool:
    return 1 < len(name) <= LONGEST_NAME and name[0] in FIRST and OTHER.issuperset(name)


def _is_hex(text: str) -> bool:
    return bool(text) and HEX.issuperset(text)
