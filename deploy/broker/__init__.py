"""Who may say what on the platform's broker, written in the broker's own words."""
