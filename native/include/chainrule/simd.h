// Vectors of floats for the instruction set a kernel file is compiled for. GCC and Clang turn them into its registers.
//
// Everything here lives in the namespace of the instruction set, so that the linker never mixes two of them; kernel
// files use no inline functions of the standard library for the same reason.
#pragma once

#include <cstdint>

#ifndef CHAINRULE_ISA
#error "kernel files are compiled once per instruction set, see CMakeLists.txt"
#endif

namespace chainrule::CHAINRULE_ISA {

constexpr int64_t kWidth = CHAINRULE_WIDTH;          // floats in a vector
constexpr int64_t kRegisters = CHAINRULE_REGISTERS;  // vector registers

typedef float Vec __attribute__((vector_size(CHAINRULE_WIDTH * 4)));
typedef float VecUnaligned __attribute__((vector_size(CHAINRULE_WIDTH * 4), aligned(4), may_alias));
typedef int32_t VecInt __attribute__((vector_size(CHAINRULE_WIDTH * 4)));

inline __attribute__((always_inline)) Vec load(const float* p) { return *reinterpret_cast<const VecUnaligned*>(p); }
inline __attribute__((always_inline)) void store(float* p, Vec v) { *reinterpret_cast<VecUnaligned*>(p) = v; }
inline __attribute__((always_inline)) Vec broadcast(float x) { return x - Vec{}; }  // x - 0: keeps -0, folds to one instruction
inline __attribute__((always_inline)) Vec larger(Vec a, Vec b) { return a > b ? a : b; }

// The first `count` floats, zeros after them; reads nothing beyond.
inline __attribute__((always_inline)) Vec load_part(const float* p, int64_t count) {
  Vec v{};
  for (int64_t i = 0; i < count; ++i) v[i] = p[i];
  return v;
}
inline __attribute__((always_inline)) void store_part(float* p, Vec v, int64_t count) {
  for (int64_t i = 0; i < count; ++i) p[i] = v[i];
}

inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
inline int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }

}  // namespace chainrule::CHAINRULE_ISA
