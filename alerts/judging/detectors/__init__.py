"""One file for each question that a carer would ask."""
