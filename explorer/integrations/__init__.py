"""What works inside other people's frameworks; each file loads only where its framework is there."""
