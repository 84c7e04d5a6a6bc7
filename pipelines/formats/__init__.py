"""NIfTI and NRRD files: voxels, lattices and what their names mean."""
