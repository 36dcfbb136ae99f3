"""Looks back at what was traded: figures of days, their report, and the proof that nothing was altered. Reads only."""
