"""Functions from array to array; every numerical trick lives here, with its reference."""
