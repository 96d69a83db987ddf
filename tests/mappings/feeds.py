"""Find the feed modules and target forms by walking the package: a new one cannot escape the tests."""

import importlib
import pkgutil
from types import ModuleType

import mappings


def modules_with(function: str) -> dict[str, ModuleType]:
    """``system/module`` -> module, for each module of a system that has ``function``."""
    found = {}
    for system in pkgutil.iter_modules(mappings.__path__):
        if not system.ispkg or system.name == "canonical":
            continue
        package = importlib.import_module(f"mappings.{system.name}")
        for entry in pkgutil.iter_modules(package.__path__):
            module = importlib.import_module(f"mappings.{system.name}.{entry.name}")
            if hasattr(module, function):
                found[f"{system.name}/{entry.name}"] = module
    return found
