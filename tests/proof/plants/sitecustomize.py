"""Python imports this by itself in every process of a hub that has this folder on its path: it plants one bug.

``PLANT`` names a module beside this one; its ``TARGET`` is the hub's module whose import it waits for, and its
``plant(module)`` spoils it. Nothing that is shipped knows of it.
"""

import importlib
import importlib.abc
import importlib.machinery
import os
import sys


class _Planter(importlib.abc.MetaPathFinder):
    def __init__(self, bug):
        self.bug = bug

    def find_spec(self, name, path, target=None):
        if name != self.bug.TARGET:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        honest = spec.loader.exec_module

        def exec_module(module):
            honest(module)
            self.bug.plant(module)

        spec.loader.exec_module = exec_module
        return spec


if os.environ.get("PLANT"):
    sys.meta_path.insert(0, _Planter(importlib.import_module(os.environ["PLANT"])))
