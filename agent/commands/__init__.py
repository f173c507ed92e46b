"""What persons order one laptop to do, from verified order to signed receipt: taken down durably, done step
by step, read back, told."""
