"""What every context shares: who asks, how errors are named, what a transaction promises."""
