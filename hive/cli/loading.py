"""From what a person writes, `module:name` or `./file.py:name`, to a Workflow."""

import importlib
import importlib.util
import pkgutil
import sys
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from hive.cli.exits import Mistake
from hive.cli.near import listed, near_miss
from hive.control.graphs.graph import Graph
from hive.errors import DeclarationError
from hive.role import Chain, Role
from hive.workflow import Workflow

__all__ = ["BadTeam", "Declared", "load", "load_part"]

Declared = Workflow | Graph | Chain | Role
"""What may stand behind a name; anything but a Workflow is made one."""


class BadTeam(Mistake):
    """The named module was found and refuses to be loaded: `cause` is what it raised."""

    def __init__(self, message: str, cause: BaseException) -> None:
        super().__init__(message)
        self.cause = cause


@dataclass(frozen=True)
class Place:
    """A module as it was written: by a dotted name, or by the path of a file."""

    written: str
    file: Path | None


def load(reference: str, directory: Path | None = None) -> Declared:
    """What stands behind `module:name`, as seen from a directory (the current one by default).

    The directory is appended to the import path, never put first. Raises Mistake with what is there
    instead, and BadTeam when the module raised something.
    """
    here = directory or Path.cwd()
    look_in(here)
    module_part, colon, name = reference.rpartition(":")
    if not colon:
        module_part, name = reference, ""
    place = placed(module_part, here)
    module = imported(place, here)
    if not name:
        raise Mistake(f"{reference!r} names no team; {offered(module, place.written)}")
    return found(module, name, place.written)


def load_part(reference: str, method: str, directory: Path | None = None) -> Any:
    """What stands behind `module:name`, which must have a method of that name; a class is called
    without arguments. Raises Mistake and BadTeam as `load` does."""
    here = directory or Path.cwd()
    look_in(here)
    module_part, colon, name = reference.rpartition(":")
    if not colon:
        raise Mistake(f"{reference!r} names nothing that can {method}; write module:name")
    place = placed(module_part, here)
    module = imported(place, here)
    value = getattr(module, name, None)
    if value is None:
        raise Mistake(
            f"{module_part} has no {name!r}; {near_miss(name, vars(module))}".rstrip("; ")
        )
    if isinstance(value, type):
        try:
            value = value()
        except TypeError as error:
            raise Mistake(f"{reference} cannot be made without arguments: {error}") from None
    if not callable(getattr(value, method, None)):
        raise Mistake(f"{reference} has no method {method}")
    return value


def look_in(folder: Path) -> None:
    """Have a folder searched for modules after everything that is installed."""
    path = str(folder)
    same = {path, ""}
    sys.path[:] = [*(entry for entry in sys.path if entry not in same), path]
    importlib.invalidate_caches()


def placed(written: str, here: Path) -> Place:
    is_file = written.endswith(".py") or "/" in written
    return Place(written, (here / Path(written).expanduser()) if is_file else None)


def imported(place: Place, here: Path) -> ModuleType:
    """Import a module. Raises Mistake when it is not there and BadTeam when it fails."""
    try:
        if place.file is not None:
            return from_file(place.file, place.written)
        return importlib.import_module(place.written)
    except ModuleNotFoundError as error:
        if place.file is None and is_itself(error, place.written):
            raise Mistake(missing(place.written, here)) from None
        raise broken(place, error) from error
    except (ValueError, TypeError) as error:
        if place.file is None and not place.written.strip("."):
            raise Mistake(f"{place.written!r} names no module; write module:name") from None
        raise broken(place, error) from error
    except Mistake:
        raise
    except Exception as error:
        raise broken(place, error) from error


def from_file(path: Path, written: str) -> ModuleType:
    """Import a file by its path; its folder is searched last for what it imports."""
    if not path.is_file():
        near = listed(str(p.name) for p in path.parent.glob("*.py")) if path.parent.is_dir() else ""
        beside = f"; that folder has {near}" if near else ""
        raise Mistake(f"there is no file {written!r}{beside}")
    look_in(path.parent.resolve())
    name = f"hive_file_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise Mistake(f"{written!r} is no Python file; its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def is_itself(error: ModuleNotFoundError, written: str) -> bool:
    """Whether it is the named module that is missing, and not one that it imports."""
    missing_name = error.name or ""
    return written == missing_name or written.startswith(f"{missing_name}.")


def missing(written: str, here: Path) -> str:
    """What to say of a module that is not there."""
    parent, _, last = written.rpartition(".")
    siblings = set(modules_in(parent, here))
    if parent and siblings:
        near = near_miss(last, siblings).replace("'", f"'{parent}.", 1)
        return f"there is no module {written!r}; {near}{parent} has {listed(siblings)}"
    everywhere = {module.name for module in pkgutil.iter_modules()} | siblings
    near = near_miss(written.partition(".")[0], everywhere)
    has = listed(modules_in("", here))
    return f"there is no module {written!r}; {near}this directory has {has}"


def modules_in(parent: str, here: Path) -> Iterator[str]:
    """The names of the modules in a package, or in a directory when no package is named."""
    if not parent:
        paths: Iterable[str] = [str(here)]
    else:
        try:
            spec = importlib.util.find_spec(parent)
        except (ImportError, ValueError):
            return
        paths = () if spec is None else spec.submodule_search_locations or ()
    yield from (module.name for module in pkgutil.iter_modules(paths))


def broken(place: Place, error: BaseException) -> BadTeam:
    """What to say of a module that raised something while it was imported."""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if is_theirs(frame)]
    line = f", line {own[-1].lineno} of {Path(own[-1].filename).name}" if own else ""
    said = str(error) if isinstance(error, DeclarationError) else f"{type(error).__name__}: {error}"
    return BadTeam(f"{place.written} cannot be loaded{line}: {said}", error)


def is_theirs(frame: traceback.FrameSummary) -> bool:
    """Whether a frame belongs to the user's files rather than to Hive or the import system."""
    ours = str(Path(__file__).resolve().parents[1])
    return not frame.filename.startswith((ours, "<"))


def found(module: ModuleType, name: str, written: str) -> Declared:
    """The team behind a name of a module."""
    try:
        value = getattr(module, name)
    except AttributeError:
        near = near_miss(name, teams(module))
        raise Mistake(f"{written} has no {name!r}; {near}{offered(module, written)}") from None
    if not isinstance(value, Declared):
        raise Mistake(
            f"{written}:{name} is a {type(value).__name__}, not a Workflow, Graph, chain or Role;"
            f" {offered(module, written)}"
        )
    return value


def offered(module: ModuleType, written: str) -> str:
    """The teams that a module has, ready to be copied."""
    names = teams(module)
    if names:
        return f"there is {' and '.join(f'{written}:{name}' for name in names[:8])}"
    return "it holds no Workflow; write one as `team = Workflow(...)`"


def teams(module: ModuleType) -> list[str]:
    """The names of a module's teams: its workflows, or else its graphs and chains, or its roles."""
    for kinds in (Workflow, (Graph, Chain), Role):
        names = [name for name, value in vars(module).items() if isinstance(value, kinds)]
        if names:
            return names
    return []
