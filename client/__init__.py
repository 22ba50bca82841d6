"""What an agent needs to run under configurations that spanloop serves: one file, nothing to install."""
