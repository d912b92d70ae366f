"""What is measured on the card: a module for each stage of the run, which tells its rows one by one."""
