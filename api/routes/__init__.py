"""What answers each address.  Routes join facts to pages and decide nothing."""
