"""A cohort's lesions gathered: a table, margins by band, patients, and survival where outcomes are given."""
