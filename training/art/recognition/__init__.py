"""Drawings and photographs of marks, such as watermarks: which of many classes a picture shows."""
