#include "xla.h"
