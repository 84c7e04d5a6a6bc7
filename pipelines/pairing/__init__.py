"""Which studies of a tree of DICOM are before and after an ablation: proposed by rules that say why, or listed."""
