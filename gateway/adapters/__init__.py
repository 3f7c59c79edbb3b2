"""What does real equipment say, as observations?  One file for each kind of equipment, all pure."""
