"""A file in a room of alternatives is offered by that room's registry, once, and by its name."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from engine import stops, strategies, venues
from engine.domain.event import Event
from tests.architecture import sources
from tui import panels
from tui.panel import Panel


def modules_of(package: ModuleType) -> dict[str, ModuleType]:
    """Return the modules beside a package's `__init__`, by name."""
    folder = Path(str(package.__file__)).parent
    names = sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")
    return {name: import_module(f"{package.__name__}.{name}") for name in names}


def classes_of(module: ModuleType) -> list[type]:
    """Return the classes that `module` itself defines."""
    members = vars(module).values()
    return [m for m in members if inspect.isclass(m) and m.__module__ == module.__name__]


def test_every_exit_rule_is_registered_by_the_name_in_its_journal_rows() -> None:
    for name, module in modules_of(stops).items():
        registered = [c for c in classes_of(module) if c in stops.STOP_RULES.values()]
        assert len(registered) == 1, name
    for code, rule in stops.STOP_RULES.items():
        assert vars(rule)["code"] == code


def test_every_strategy_is_registered_with_its_settings() -> None:
    for name in modules_of(strategies):
        assert name in strategies.STRATEGIES
    assert set(strategies.STRATEGIES) == set(strategies.SETTINGS)


def test_every_adapter_that_is_named_can_be_loaded_and_every_folder_is_named() -> None:
    names = {**venues.VENUES, **venues.FEEDS}
    for registry in (venues.VENUES, venues.FEEDS):
        for name in registry:
            assert inspect.isclass(venues.adapter(registry, name))
    folder = Path(str(venues.__file__)).parent
    rooms = {path.parent.name for path in folder.glob("*/__init__.py")}
    assert rooms == {target.split(".")[2] for target in names.values()}


def test_a_new_venue_is_under_the_contract_of_independence() -> None:
    folder = Path(str(venues.__file__)).parent
    project = (sources.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for path in folder.glob("*/__init__.py"):
        assert f'"engine.venues.{path.parent.name}"' in project


def test_every_panel_is_registered() -> None:
    for name, module in modules_of(panels).items():
        for made in classes_of(module):
            if issubclass(made, Panel):
                assert panels.PANELS.get(made.NAME) is made, name


@pytest.mark.parametrize("event", Event.__args__, ids=lambda e: e.__name__)
def test_events_say_what_happened_and_cannot_be_changed(event: type) -> None:
    parameters = event.__dataclass_params__  # type: ignore[attr-defined]
    assert parameters.frozen, "an event that can change is not a record"
    assert event.__doc__, "the manual's glossary is made of these"
