"""What the handed-over scripts are made of: texts with marked spots (`*.in`), and functions copied whole."""
