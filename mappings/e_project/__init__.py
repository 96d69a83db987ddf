"""e-Project: work packages out, budget lines and procurement results in."""
