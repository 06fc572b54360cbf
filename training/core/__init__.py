"""The few pieces that all recipes share."""
