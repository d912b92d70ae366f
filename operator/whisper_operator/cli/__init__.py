"""Commands that need no running operator: `render` and `check`."""
