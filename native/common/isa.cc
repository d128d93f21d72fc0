#include "chainrule/isa.h"

#include <atomic>

namespace chainrule {
namespace {

bool has(Isa isa) {
#ifdef CHAINRULE_X86
  if (isa == Isa::avx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#ifdef CHAINRULE_PRETEND_AVX512  // in tests the table of avx512 holds 16-wide code for the machine at hand
  if (isa == Isa::avx512) return has(Isa::avx2);
#endif
  if (isa == Isa::avx512)
    return has(Isa::avx2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#endif
  return isa == Isa::portable;
}

Isa best() {
  if (has(Isa::avx512)) return Isa::avx512;
  return has(Isa::avx2) ? Isa::avx2 : Isa::portable;
}

std::atomic<Isa>& chosen() {
  static std::atomic<Isa> isa{best()};
  return isa;
}

}  // namespace

Isa current_isa() { return chosen().load(std::memory_order_relaxed); }

bool select_isa(Isa isa) {
  if (!has(isa)) return false;
  chosen().store(isa, std::memory_order_relaxed);
  return true;
}

const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::avx512: return "avx512";
    case Isa::avx2: return "avx2";
    default: return "portable";
  }
}

}  // namespace chainrule
