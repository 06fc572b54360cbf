"""Offline training: one folder per method. The only package that imports torch."""
