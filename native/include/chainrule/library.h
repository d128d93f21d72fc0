// What the library shows to the outside.
#pragma once

#define CHAINRULE_EXPORT __attribute__((visibility("default")))

// Changes whenever a handler's arguments or attributes change; the Python side refuses any other.
#define CHAINRULE_INTERFACE 1
