#include "chainrule/library.h"

#include <cstring>
#include <initializer_list>

#include "chainrule/isa.h"

using chainrule::Isa;

extern "C" {

CHAINRULE_EXPORT int chainrule_interface() { return CHAINRULE_INTERFACE; }

CHAINRULE_EXPORT const char* chainrule_isa() { return chainrule::isa_name(chainrule::current_isa()); }

// 1: chosen; 0: this machine or build does not have it; -1: no such name.
CHAINRULE_EXPORT int chainrule_select_isa(const char* name) {
  for (Isa isa : {Isa::portable, Isa::avx2, Isa::avx512})
    if (std::strcmp(name, chainrule::isa_name(isa)) == 0) return chainrule::select_isa(isa) ? 1 : 0;
  return -1;
}

}  // extern "C"
