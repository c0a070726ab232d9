"""What written scores tell about those who gave them. A measurement may flag; it never decides."""
