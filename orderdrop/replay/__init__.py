"""Plays back a day that was traded, one archived drop, or any old order file: in the original order and rhythm.

By default on the paper broker, in a workspace of its own, with a clock that stands where the drops came in: the same day played twice
leaves the same journal, to the byte. What goes to another gateway goes through the inbox, as anything else does, under new names.
"""
