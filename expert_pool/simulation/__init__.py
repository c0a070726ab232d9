"""What-if: scenario files, read strictly; what they ask, settled point by point; results that can be found again."""
