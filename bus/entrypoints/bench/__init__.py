"""``arus bench``: the hub beside an endpoint without a store, in one interleaved run; ratios, not promises."""

from .run import bench

__all__ = ["bench"]
