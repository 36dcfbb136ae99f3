"""Looks whether orders can pass: folders, clocks, what a terminal writes. `examine` in examination is the door.

Measuring (folders, surroundings, goldminer) gathers facts; judging is pure and turns facts into findings. It repairs nothing.
"""
