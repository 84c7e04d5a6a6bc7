"""Planning: zones along needles, what of a tumour and its margin they hold, and how sure that is."""
