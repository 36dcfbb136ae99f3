"""What reports mean: folding them into an order's state, and our state in 掘金's file format. Pure."""
