"""The parts that every connector is built from."""
