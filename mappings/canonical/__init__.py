"""The canonical model: the records on which all systems agree."""
