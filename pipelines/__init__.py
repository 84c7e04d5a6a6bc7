"""Everything that touches the world: files, DICOM, clocks, the command line."""
