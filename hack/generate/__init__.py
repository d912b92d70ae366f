"""Writes what follows from the code: CRD, references, pictures, the chart's schema and dashboards."""
