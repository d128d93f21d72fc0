// Which instruction set the kernels run with, and the table of functions that goes with it.
#pragma once

namespace chainrule {

enum class Isa { portable = 0, avx2 = 1, avx512 = 2 };

// The set chosen for this process: the best one the machine has, until select_isa is called.
Isa current_isa();

// Chooses a set; false where the machine (or this build) does not have it.
bool select_isa(Isa isa);

const char* isa_name(Isa isa);

}  // namespace chainrule

// Declares `const Table& function()` that answers with the table of the current set. A kernel file defines
// `extern const Table table_name;` inside `namespace chainrule::CHAINRULE_ISA`.
#ifdef CHAINRULE_X86
#define CHAINRULE_TABLE(Table, name)                         \
  namespace chainrule::portable { extern const Table name; } \
  namespace chainrule::avx2 { extern const Table name; }     \
  namespace chainrule::avx512 { extern const Table name; }   \
  namespace chainrule {                                      \
  inline const Table& current_##name() {                     \
    switch (current_isa()) {                                 \
      case Isa::avx512: return avx512::name;                 \
      case Isa::avx2: return avx2::name;                     \
      default: return portable::name;                        \
    }                                                        \
  }                                                          \
  }
#else
#define CHAINRULE_TABLE(Table, name)                         \
  namespace chainrule::portable { extern const Table name; } \
  namespace chainrule { inline const Table& current_##name() { return portable::name; } }
#endif
