"""``arus bench``: the hub beside what would be built instead, in one interleaved run; ratios, not promises."""
