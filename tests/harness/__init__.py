"""Clusters of virtual nodes, driven from tests. See README.md."""
