"""e-Budgeting's own rows (RKA export, published APBD documents) as canonical records."""
