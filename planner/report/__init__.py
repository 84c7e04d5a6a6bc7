"""From an assessment to what a person reads."""
