"""What-if over one panel problem: many points near each other, settled with what their neighbours have shown."""
