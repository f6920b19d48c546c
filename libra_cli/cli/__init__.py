"""How a function becomes a command: options, configuration files, the manual and completion."""
