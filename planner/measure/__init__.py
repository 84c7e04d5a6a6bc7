"""What is measured on surfaces: margin, coverage, volumes, and how sure it is."""
