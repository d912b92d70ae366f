"""Writes what is generated of the code: CRD, references, the chart's schema and dashboards."""
