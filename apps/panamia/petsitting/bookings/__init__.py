"""Bookings: asked for, answered, called off, over, and what is said behind them."""
