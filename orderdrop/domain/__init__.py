"""The words of the trade: orders, symbols, statuses, reports, refusals. Pure; imports nothing of ours but the clock."""
