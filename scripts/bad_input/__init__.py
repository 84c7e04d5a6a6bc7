"""The corpus of bad input: one function per case, each turning a sound pair of studies into a bad one."""
