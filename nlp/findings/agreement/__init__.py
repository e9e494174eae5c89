"""How far coders agree with each other and with the machine, and how one coder's use of a code moves over time."""
